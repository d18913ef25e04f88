"""How long to wait after failures."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.runtime.backoff import Backoff


class Waiting(unittest.TestCase):
    """A wait grows with failures, is bounded, and is spread by chance."""

    def test_growth(self) -> None:
        """The bound doubles until it is the longest."""
        self.assertEqual([Backoff(1, 10).bound(n) for n in range(1, 7)], [1, 2, 4, 8, 10, 10])

    @given(st.integers(0, 10**6), st.floats(0, 1, exclude_max=True))
    def test_within(self, failures: int, chance: float) -> None:
        """A wait is never below 0 nor above the bound, however many failures."""
        backoff = Backoff(0.5, 30)
        self.assertLessEqual(0, backoff.seconds(failures, lambda: chance))
        self.assertLessEqual(backoff.seconds(failures, lambda: chance), backoff.bound(failures))
        self.assertLessEqual(backoff.bound(failures), 30)
        self.assertTrue(
            backoff.bound(failures) / 2 <= backoff.pause(failures, lambda: chance) <= backoff.bound(failures)
        )
