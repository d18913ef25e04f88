"""Points near a time, held to a search through all of them."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.pipescript import Point
from connectordb.pipescript.interpolators.nearest import after, before, closest

TIMES = st.lists(st.integers(0, 12), max_size=10).map(sorted)


class Nearest(unittest.TestCase):
    """``before``, ``after`` and ``closest``."""

    @given(TIMES, TIMES)
    def test_like_a_search(self, times: list[int], asked: list[int]) -> None:
        """Whatever the times, as long as they do not go back."""
        points: list[Point] = [{"t": t, "d": index} for index, t in enumerate(times)]
        columns = [make(points) for make in (before, after, closest)]
        for r in asked:
            passed = max((i for i, t in enumerate(times) if t <= r), default=None)
            following = min((i for i, t in enumerate(times) if t > r), default=None)
            if passed is None or following is None:
                nearest = following if passed is None else passed
            else:
                nearest = following if times[following] - r < r - times[passed] else passed
            self.assertEqual([column(r) for column in columns], [passed, following, nearest])

    def test_a_point_without_a_value(self) -> None:
        """Is null, and a point."""
        self.assertIsNone(before([{"t": 1, "d": 5}, {"t": 2}])(2))
