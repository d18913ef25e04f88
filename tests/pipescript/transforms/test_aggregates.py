"""Running aggregates, held to what they are of all values so far."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from ..running import run, timed

NUMBERS = st.lists(st.integers(-50, 50), max_size=12)


class SoFar(unittest.TestCase):
    """Each result is about all values up to there."""

    @given(NUMBERS)
    def test_like_python(self, values: list[int]) -> None:
        """Sums, means, counts, extremes, truth."""
        starts = [values[: at + 1] for at in range(len(values))]
        self.assertEqual(run("sum", *values), [sum(start) for start in starts])
        self.assertEqual(run("mean", *values), [sum(start) / len(start) for start in starts])
        self.assertEqual(run("count", *values), [len(start) for start in starts])
        self.assertEqual(run("i", *values), list(range(len(values))))
        self.assertEqual(run("max", *values), [max(start) for start in starts])
        self.assertEqual(run("min", *values), [min(start) for start in starts])
        self.assertEqual(run("alltrue", *values), [all(value > 0 for value in start) for start in starts])
        self.assertEqual(run("anytrue", *values), [any(value > 0 for value in start) for start in starts])
        self.assertEqual(run("append", *values), ["".join(map(str, start)) for start in starts])

    def test_extremes_keep_the_point(self) -> None:
        """With its time, and the first of equal ones."""
        self.assertEqual(timed("max", [(1, 5), (2, "5"), (3, 2)]), [(1, 5), (1, 5), (1, 5)])
        self.assertEqual(timed("min(-$)", [(1, 1), (2, 3), (3, 2)]), [(1, 1), (2, 3), (2, 3)])
