"""Tests of `connectordb.logger.times`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectordb.logger.times import in_order, later
from connectordb.protocol import json_text
from tests.support.case import Case

times = st.floats(1e-6, 1e11)


class TimeTests(Case):
    """Times increase by steps that survive."""

    @given(times)
    def test_later(self, t: float) -> None:
        """The next larger time is larger, also after JSON, and by little."""
        after = later(t)
        self.assertGreater(after, t)
        self.assertEqual(json_text.loads(repr(after)), after)
        self.assertLess(after - t, 1e-4)

    @given(st.lists(times, max_size=20).map(sorted), times)
    def test_in_order(self, given_times: list[float], floor: float) -> None:
        """Times increase strictly, and those that did so already stay."""
        moved = in_order(given_times, floor)
        self.assertEqual(len(moved), len(given_times))
        for before, after in zip([floor, *moved], moved, strict=False):
            self.assertLess(before, after)
        strict = in_order(moved, floor)
        self.assertEqual(strict, moved)
