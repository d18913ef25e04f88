"""A datapoint off the wire."""

from __future__ import annotations

import unittest
from typing import Any

from connectordb.exceptions import RemoteProtocolError
from connectordb.protocol.points import read_point


class Reading(unittest.TestCase):
    """What is left out on the wire is there afterwards."""

    def test_null(self) -> None:
        """A point without a value has the value None; nothing else is added."""
        self.assertEqual(read_point({"t": 1}), {"t": 1, "d": None})
        self.assertEqual(read_point({"d": False}), {"d": False})
        self.assertEqual(read_point({"t": 1, "d": 2, "o": "a/b"}), {"t": 1, "d": 2, "o": "a/b"})

    def test_what_is_none(self) -> None:
        """What is no object is no datapoint."""
        things: list[Any] = [None, 5, "x", [1, 2]]
        for thing in things:
            with self.subTest(thing), self.assertRaises(RemoteProtocolError):
                read_point(thing)
