"""Tests of `connectordb.live.downlinks`."""
