"""Keeping a point, choosing between scripts, stretches."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from ..running import run, timed

NUMBERS = st.lists(st.integers(-3, 3), max_size=12)


class Choosing(unittest.TestCase):
    """Which script has a point."""

    @given(NUMBERS)
    def test_each_script_has_its_own(self, values: list[int]) -> None:
        """The counts of the two branches are those of the points that went there."""
        expected = [sum((v > 0) == (values[at] > 0) for v in values[: at + 1]) for at in range(len(values))]
        self.assertEqual(run("ifelse($ > 0, count, count)", *values), expected)

    def test_remember(self) -> None:
        """What is kept has the time of what it was."""
        self.assertEqual(timed("remember($ > 1)", [(1, 0), (2, 5), (3, 1)]), [(1, 0), (2, 5), (2, 5)])
        self.assertEqual(timed("remember(first, next)", [(1, 0), (2, 5), (3, 1)]), [(2, 5)] * 3)


class Stretches(unittest.TestCase):
    """``while`` and ``iwhile``."""

    @given(NUMBERS)
    def test_a_stretch_begins_where_the_condition_is_false(self, values: list[int]) -> None:
        """Its last sum comes out, and of ``iwhile`` each."""
        stretches: list[list[int]] = []
        for at, value in enumerate(values):
            if value == 0 or at == 0:
                stretches.append([])
            stretches[-1].append(value)
        self.assertEqual(run("while($ != 0, sum)", *values), [sum(stretch) for stretch in stretches])
        each = [sum(stretch[: at + 1]) for stretch in stretches for at in range(len(stretch))]
        self.assertEqual(run("iwhile($ != 0, sum)", *values), each)

    def test_days(self) -> None:
        """The sum of each day, whose condition looks back; one that looks ahead ends each too early, but the last."""
        points = [(t * 43200.0, 1) for t in range(6)]
        self.assertEqual(timed("while(not day:changed, sum)", points), [(43200, 2), (129600, 2), (216000, 2)])
        self.assertEqual([d for _, d in timed("while(day == next:day, sum)", points)], [1, 2, 3])
