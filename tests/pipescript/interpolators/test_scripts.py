"""Scripts as interpolators, held to running them on each window."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import Point, Script
from connectordb.pipescript.interpolators.scripts import scripted

TIMES = st.lists(st.integers(1, 12), max_size=10).map(sorted)


class Windows(unittest.TestCase):
    """Each time has the points since the one before."""

    @given(TIMES, TIMES, st.sampled_from(["count", "sum", "if $ > 2", "map($ > 2, count)", "last", "5", "$:mean"]))
    def test_like_running_it(self, times: list[int], asked: list[int], text: str) -> None:
        """The last result of each window; null where there is none."""
        points: list[Point] = [{"t": t, "d": float(at)} for at, t in enumerate(times)]
        script = Script(text)
        column = scripted(script)(points)
        last = 0
        for time in asked:
            window = [point for point in points if last < point["t"] <= time]
            results = list(script.anew(window))
            self.assertEqual(column(time), results[-1]["d"] if results else None)
            last = max(last, time)

    def test_points_at_time_zero(self) -> None:
        """Are refused where they give a result, and lost where they give none, as on the original."""
        with self.assertRaisesRegex(PipeScriptError, "at or before time 0"):
            scripted(Script("sum"))([{"t": 0, "d": 1}])(5)
        self.assertEqual(scripted(Script("if $ > 1 | count"))([{"t": 0, "d": 1}, {"t": 1, "d": 2}])(5), 1)

    def test_a_failure(self) -> None:
        """Is one of its window."""
        column = scripted(Script("sum"))([{"t": 1, "d": 1}, {"t": 2, "d": "x"}])
        self.assertEqual(column(1), 1)
        with self.assertRaisesRegex(PipeScriptError, "Float"):
            column(2)
