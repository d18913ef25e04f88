"""Times of points."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from ..running import timed

TIMES = st.lists(st.integers(1, 30), max_size=10).map(sorted)


class Moving(unittest.TestCase):
    """``tshift`` and ``dt``."""

    @given(TIMES, st.integers(-9, 9))
    def test_like_python(self, times: list[int], by: int) -> None:
        """There and between."""
        points = [(float(t), t) for t in times]
        self.assertEqual(timed(f"tshift({by})", points), [(t + by, d) for t, d in points])
        self.assertEqual(
            [d for _, d in timed("dt", points)], [b - a for a, b in zip([*times[:1], *times], times, strict=False)]
        )

    def test_behind_time_zero(self) -> None:
        """There is nothing before."""
        self.assertEqual(timed("dt", [(0.0, 1), (5.0, 1), (7.0, 1)]), [(0, 0), (5, 0), (7, 2)])


class Lengths(unittest.TestCase):
    """``ttrue`` and ``tfalse``."""

    @given(TIMES, st.data())
    def test_opposites(self, times: list[int], data: st.DataObject) -> None:
        """How long it was true is how long its opposite was false."""
        values = [data.draw(st.booleans()) for _ in times]
        points = [(float(t), value) for t, value in zip(times, values, strict=True)]
        found = timed("ttrue", points)
        self.assertEqual(found, timed("tfalse", [(t, not value) for t, value in points]))
        self.assertLessEqual(sum(d for _, d in found), times[-1] - times[0] if times else 0)

    def test_what_has_not_ended(self) -> None:
        """Goes up to the last point, unless that is all."""
        self.assertEqual(timed("ttrue", [(1, True), (4, True)]), [(4, 3)])
        self.assertEqual(timed("ttrue", [(1, False), (4, True)]), [])
