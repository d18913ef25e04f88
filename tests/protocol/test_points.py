"""A datapoint off the wire."""

from __future__ import annotations

import math
import unittest
from fractions import Fraction
from typing import Any

from connectordb.exceptions import LocalProtocolError, PipeScriptError, RemoteProtocolError
from connectordb.protocol.points import Batch, as_answered, checked_times, read_point


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


class Made(unittest.TestCase):
    """Points that somebody made."""

    def test_times(self) -> None:
        """Times are numbers, whatever kind of; what is none is told, with its point."""
        self.assertEqual(
            checked_times([{"t": 1}, {}, {"t": Fraction(5, 2)}, {"t": 1e308}, {"t": 1e308}]), [1, 0, 2.5, 1e308, 1e308]
        )
        for t in ("x", "5", None, math.nan, 10**400, [1]):
            with self.subTest(t), self.assertRaisesRegex(LocalProtocolError, "datapoint 1 has t=.*expected seconds"):
                checked_times([{"t": 1, "d": 1}, {"t": t, "d": 2}])


class Batches(unittest.TestCase):
    """Points that are looked at column by column."""

    def test_columns(self) -> None:
        """What is a time and a simple value has columns; what is not, is none as a whole."""
        points = [{"t": 1, "d": 2.5}, {"d": "x", "t": 1.5}, {"t": 0, "d": True}]
        batch = Batch.of(points)
        assert batch is not None
        self.assertEqual(batch, points)
        self.assertEqual((batch.times, batch.values, batch.kinds), ([1, 1.5, 0], [2.5, "x", True], {float, str, bool}))
        for odd in (
            *(1, None, [], "td", {"t": 1}, {"d": 1}, {"T": 1, "D": 1}, {"t": 1, "d": None}, {"t": True, "d": 1}),
            *(
                {"t": "1", "d": 1},
                {"t": None, "d": 1},
                {"t": 1, "d": [1]},
                {"t": 1, "d": {}},
                {"t": 1, "d": 1, "o": "a/b"},
            ),
        ):
            with self.subTest(odd=odd):
                self.assertIsNone(Batch.of([*points, odd]))
        self.assertIsNone(Batch.of([]))


class Answering(unittest.TestCase):
    """A point that was computed here looks as if a server had answered it."""

    def test_numbers(self) -> None:
        """Whole ones are integers, as in JSON text; the rest stays, and what is neither time nor value goes."""
        point = {"t": 2.0, "d": {"a": [5.0, 0.5, True, None, "5.0"], "b": 2.0**70}, "o": "a/b"}
        self.assertEqual(
            repr(as_answered(point)), "{'t': 2, 'd': {'a': [5, 0.5, True, None, '5.0'], 'b': 1.1805916207174113e+21}}"
        )
        self.assertEqual(as_answered({"t": 1}), {"t": 1, "d": None})
        self.assertEqual(as_answered({"t": 1, "d": (2**53 + 1, -(2**70))})["d"], [2**53, -(2.0**70)])

    def test_refused(self) -> None:
        """What JSON cannot hold is an error, as it is in an answer."""
        for number in (10**400, object(), b"x"):
            with self.subTest(number), self.assertRaisesRegex(PipeScriptError, "which JSON cannot hold"):
                as_answered({"t": 5, "d": number})
        for number in (float("nan"), float("inf")):
            with self.subTest(number), self.assertRaisesRegex(PipeScriptError, f"the result at 5 has {number} in it"):
                as_answered({"t": 5, "d": [{"a": number}]})
