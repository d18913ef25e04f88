"""Commanding: one file of tests for each of its files."""
