"""Seconds and nanoseconds."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import LocalProtocolError
from connectordb.frames.instants import to_nanoseconds, to_seconds

from ..support.case import Case
from .cases import needs_frames


@needs_frames
class Instants(Case):
    """There and back."""

    @given(st.lists(st.floats(4e7, 9.2e9) | st.floats(-9.2e9, -4e7)))
    def test_round_trip(self, times: list[float]) -> None:
        """Every time from 1971 on is what it was before."""
        import numpy

        self.assertEqual(to_seconds(to_nanoseconds(numpy.array(times, dtype=float))).tolist(), times)

    @given(st.integers(-(2**53), 2**53), st.sampled_from([("s", 1), ("ms", 1_000), ("us", 1_000_000), ("ns", 10**9)]))
    def test_units(self, count: int, unit: tuple[str, int]) -> None:
        """What others count otherwise are the same seconds, also those that are too late for nanoseconds."""
        import numpy

        name, second = unit
        found = to_seconds(numpy.array([count]), name).tolist()[0]
        self.assertLessEqual(abs(found - count / second), 2 * math.ulp(max(abs(found), 1)))

    def test_many(self) -> None:
        """So is every one of more times than are computed at once, and one that no frame holds is found behind them."""
        import numpy

        times = numpy.arange(40_000) / 7 + 1.6e9
        self.assertTrue((to_seconds(to_nanoseconds(times)) == times).all())
        times[-1] = 1e10
        with self.assertRaisesRegex(LocalProtocolError, "t=10000000000.0 is outside"):
            to_nanoseconds(times)
