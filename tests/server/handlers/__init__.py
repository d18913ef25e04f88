"""Tests of the handlers, against a real storage and no HTTP."""
