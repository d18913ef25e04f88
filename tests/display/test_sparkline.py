"""Numbers as characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectordb.display.sparkline import sparkline

from ..support.case import Case


class Sparklines(Case):
    """One line."""

    def test_it(self) -> None:
        """The lowest is lowest, the highest highest; what is all the same lies in the middle."""
        self.assertEqual(sparkline([0, 1, 2, 3, 4, 5, 6, 7]), "▁▂▃▄▅▆▇█")
        self.assertEqual((sparkline([3, 3]), sparkline([])), ("▅▅", ""))
        self.assertEqual(sparkline([0] * 50 + [8] * 50, width=4), "▁▁██")

    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=200))
    def test_any(self, values: list[float]) -> None:
        """Whatever the numbers, there are as many characters as fit."""
        self.assertEqual(len(sparkline(values)), min(40, len(values)))
