"""Windows, held to adding up by hand."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.pipescript import Point
from connectordb.pipescript.interpolators.windows import count, mean, total

POINTS = st.lists(st.tuples(st.integers(0, 12), st.integers(-5, 5)), max_size=10).map(sorted)
TIMES = st.lists(st.integers(0, 12), max_size=10).map(sorted)


class Windows(unittest.TestCase):
    """``count``, ``sum`` and ``mean``."""

    @given(POINTS, TIMES)
    def test_by_hand(self, pairs: list[tuple[int, int]], asked: list[int]) -> None:
        """An empty window is 0, whatever is asked of it."""
        points: list[Point] = [{"t": t, "d": d} for t, d in pairs]
        columns = [make(points) for make in (count, total, mean)]
        last = -1
        for r in asked:
            window = [d for t, d in pairs if last < t <= r]
            expected = [len(window), sum(window), sum(window) / len(window) if window else 0]
            self.assertEqual([column(r) for column in columns], expected)
            last = r

    def test_nulls_and_truth_values(self) -> None:
        """Count as 0 and 1."""
        points: list[Point] = [{"t": 1}, {"t": 1, "d": True}, {"t": 1, "d": "2"}]
        self.assertEqual((count(points)(1), total(points)(1), mean(points)(1)), (3, 3.0, 1.0))
