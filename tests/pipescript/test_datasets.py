"""Merging and datasets: laziness, order, and what is refused."""

from __future__ import annotations

import itertools
import unittest
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import Point, interpolator, merge, tdataset, xdataset

SEQUENCE = st.lists(st.integers(0, 9), max_size=12).map(sorted)


def endless(taken: list[int]) -> Iterator[Point]:
    """Yield points for ever, noting how many were taken."""
    for number in itertools.count():
        taken.append(number)
        yield {"t": float(number), "d": number}


class Merging(unittest.TestCase):
    """Several sequences as one."""

    @given(st.lists(SEQUENCE, max_size=5))
    def test_like_a_stable_sort(self, sequences: list[list[int]]) -> None:
        """In order of time; of equal times the first sequence's first."""
        made = [[{"t": t, "d": f"{n}:{i}"} for i, t in enumerate(times)] for n, times in enumerate(sequences)]
        self.assertEqual(list(merge(*made)), sorted(itertools.chain(*made), key=lambda point: point["t"]))

    def test_takes_no_more_than_is_asked_for(self) -> None:
        """But the next point of each."""
        taken: list[int] = []
        merged = merge(endless(taken), [{"t": 0.5, "d": "x"}])
        self.assertEqual([next(merged)["d"] for _ in range(3)], [0, "x", 1])
        self.assertLessEqual(len(taken), 3)


class Rows(unittest.TestCase):
    """Datasets."""

    def test_takes_no_more_than_is_asked_for(self) -> None:
        """A dataset of endless columns has a first row."""
        taken: list[int] = []
        rows = tdataset(2, 100, 2, {"n": (endless(taken), "before")})
        self.assertEqual([next(rows), next(rows)], [{"t": 2, "d": {"n": 2}}, {"t": 4, "d": {"n": 4}}])
        self.assertLess(len(taken), 8)

    def test_times_are_added_up(self) -> None:
        """So ten steps of 0.1 do not quite make 1, as on the original."""
        times = [row["t"] for row in tdataset(0, 1, 0.1, {})]
        self.assertEqual(len(times), 11)
        self.assertEqual(times[3], 0.30000000000000004)

    def test_refused_at_once(self) -> None:
        """Not when the first row is asked for."""
        nan, inf = float("nan"), float("inf")
        for t1, t2, dt in (
            (1, 1, 1),
            (2, 1, 1),
            (0, 1, 0),
            (0, 1, -1),
            (nan, 1, 1),
            (0, nan, 1),
            (0, 1, nan),
            (0, inf, 1),
            (1e20, 2e20, 1),
        ):
            with self.subTest(t1=t1, t2=t2, dt=dt), self.assertRaisesRegex(PipeScriptError, "Invalid time range"):
                tdataset(t1, t2, dt, {})
        with self.assertRaisesRegex(PipeScriptError, "name 'x'"):
            xdataset([], {"x": ([], "sum")})
        with self.assertRaisesRegex(PipeScriptError, "Transform average not found"):
            tdataset(0, 1, 1, {"a": ([], "average")})

    @given(SEQUENCE, SEQUENCE)
    def test_windows_share_all_points(self, times: list[int], rows: list[int]) -> None:
        """Every point up to the last row is counted, once."""
        made: list[Any] = [{"t": t, "d": 1} for t in times]
        counted = sum(row["d"]["n"] for row in xdataset([{"t": t} for t in rows], {"n": (made, "count")}))
        self.assertEqual(counted, sum(t <= max(rows, default=-1) for t in times))
        total = sum(row["d"]["n"] for row in xdataset([{"t": t} for t in rows], {"n": (made, "sum")}))
        self.assertEqual(total, counted)

    def test_values_that_are_no_numbers(self) -> None:
        """Are counted, but not added up."""
        text = [{"t": 1, "d": "seven"}]
        self.assertEqual(interpolator("count")(text)(1), 1)
        with self.assertRaisesRegex(PipeScriptError, "Could not convert 'seven' to Float"):
            interpolator("sum")(text)(1)
