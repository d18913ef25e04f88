"""Ranges, by index and by time."""

from __future__ import annotations

import unittest
import warnings
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb import DatapointWarning
from connectordb.exceptions import InvalidRange, LocalProtocolError
from connectordb.protocol.ranges import Range, number_text, one_index, read_parameters, slice_range


def served(points: list[int], i1: int, i2: int) -> list[int]:
    """Return what a server holding *points* gives for ``[i1, i2)``; a refused range as nothing."""
    n = len(points)
    if n == 0:
        return []
    i1 = max(0, i1 + n) if i1 < 0 else i1
    i2 = min(n, i2 + n if i2 <= 0 else i2)
    return [] if i2 < i1 else points[i1:i2]


indices = st.one_of(st.none(), st.integers(-12, 12), st.integers(-(2**70), 2**70))


class Slices(unittest.TestCase):
    """Slicing a stream is slicing a list."""

    @given(st.integers(0, 9), indices, indices, st.one_of(st.none(), st.integers(-4, 4).filter(bool)))
    def test_as_a_list(self, n: int, start: int | None, stop: int | None, step: int | None) -> None:
        """For all integers and None the points are those of the list."""
        points = list(range(n))
        found = slice_range(start, stop, step)
        got = [] if found is None else served(points, *found[:2])[:: found[2]]
        self.assertEqual(got, points[start:stop:step])

    @given(st.integers(0, 9), st.integers(-12, 12))
    def test_one(self, n: int, index: int) -> None:
        """One index holds one point, or none where a list has none."""
        points = list(range(n))
        expected = [points[index]] if -n <= index < n else []
        self.assertEqual(served(points, *one_index(index)), expected)

    def test_empty_ones_need_no_request(self) -> None:
        """A slice that is empty whatever the stream holds is known to be."""
        for parts in ((0, 0, None), (3, 3, None), (5, 2, None), (None, -1, -1), (-2, -3, None)):
            with self.subTest(parts):
                self.assertIsNone(slice_range(*parts))

    def test_refusals(self) -> None:
        """A step of zero and parts that are no integers are refused as a list refuses them, with our words."""
        self.assertRaisesRegex(ValueError, "zero", slice_range, None, None, 0)
        for part in (1.5, "2", True):
            with self.subTest(part):
                self.assertRaisesRegex(InvalidRange, "is no index", slice_range, part, None, None)


class Fields(unittest.TestCase):
    """A range in the form of the wire."""

    def test_kinds(self) -> None:
        """Only what was given is there."""
        self.assertEqual(Range(0).fields, {})
        self.assertEqual(Range(0, i1=-5).fields, {"i1": -5})
        self.assertEqual(Range(0, t1=1, t2="1970-01-01T00:00:09Z").fields, {"t1": 1.0, "t2": 9.0})
        self.assertEqual(Range(0, t2=5, limit=3).fields, {"t2": 5.0, "limit": 3})

    def test_mixtures(self) -> None:
        """Kinds of range that are mixed are refused, as AssertionError too, which 0.3.5 raised."""
        mixtures: list[dict[str, Any]] = [
            {"t1": 1, "i1": 1},
            {"t2": 1, "i2": 1},
            {"i1": 1, "limit": 2},
            {"limit": -1},
            {"limit": 1.5},
            {"i1": "2"},
            {"t1": "at some time"},
        ]
        for mixture in mixtures:
            with self.subTest(mixture):
                self.assertRaises(AssertionError, Range, 0, **mixture)
                self.assertRaises(ValueError, Range, 0, **mixture)

    def test_limit(self) -> None:
        """A limit that is none is told as a number of points."""
        for bad in ("3", 1.5, True, -1):
            with self.subTest(bad), self.assertRaisesRegex(InvalidRange, "limit=.*: it is a number of points"):
                Range(0, t1=1, limit=bad)  # type: ignore[arg-type]

    def test_parameters(self) -> None:
        """Nothing means everything; a limit alone the first points; a transform runs over all."""
        self.assertEqual(read_parameters({}), {"i1": "0", "i2": "0"})
        self.assertEqual(read_parameters({"limit": 3}), {"t1": "0", "limit": "3"})
        self.assertEqual(read_parameters({}, "mean"), {"i1": "0", "i2": "0", "transform": "mean"})
        self.assertEqual(read_parameters({"t1": 1.5}), {"t1": "1.5"})

    def test_range(self) -> None:
        """A range has its fields, its script, and what a read of both says."""
        asked = Range(100.0, timedelta(seconds=10), transform="mean")
        self.assertEqual((asked.fields, asked.script), ({"t1": 90.0}, "mean"))
        self.assertEqual(asked.parameters, {"t1": "90.0", "transform": "mean"})
        self.assertEqual(Range(0).parameters, read_parameters({}))
        self.assertRaises(InvalidRange, Range, 0, 1, i1=1)
        self.assertRaisesRegex(LocalProtocolError, "transform=3 is no PipeScript", Range, 0, transform=3)

    def test_milliseconds(self) -> None:
        """A time that can hardly be seconds is doubted, as of the line that asks; what indices are is not."""
        for t in (1767225600000, 1767225600000.0):
            for name in ("t1", "t2"):
                with self.assertWarnsRegex(
                    DatapointWarning,
                    rf"^a range has {name}=1767225600000\.0, which is after .* milliseconds \(of 2026-01-01\)$",
                ) as caught:
                    self.assertEqual(Range(0, **{name: t}).fields, {name: 1767225600000.0})
                self.assertEqual(caught.filename, __file__)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Range(0, t1=253_402_300_799, t2=datetime.max.replace(tzinfo=timezone.utc))
            Range(0, i1=1767225600000)

    @given(st.one_of(st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False)))
    def test_numbers(self, number: float) -> None:
        """A number reads back as the same number."""
        self.assertEqual(float(number_text(number)), float(number))
