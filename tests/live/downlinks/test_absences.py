"""Which commands came while there was no connection."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.live.downlinks.absences import Absences


class AbsenceTests(unittest.TestCase):
    """Stretches that nobody was told of."""

    def test_at_first(self) -> None:
        """What is there when it begins came before; what comes then is told."""
        absences = Absences()
        absences.back(5)
        self.assertEqual([absences.until(index) for index in (0, 4, 5, 6)], [5, 5, None, None])

    def test_connected_again(self) -> None:
        """Those that were told before the connection was lost were not missed, however late they are asked for."""
        absences = Absences()
        absences.back(2)
        absences.left(4)
        absences.left(4)
        absences.back(6)
        absences.back(9)  # somebody else subscribed: no connection was lost
        self.assertEqual([absences.until(index) for index in range(8)], [2, 2, None, None, 6, 6, None, None])

    def test_nothing_came(self) -> None:
        """A connection that was lost for a moment, or a stream that is shorter now, is no absence of any command."""
        absences = Absences()
        absences.back(0)
        for length in (3, 1):
            absences.left(3)
            absences.back(length)
            self.assertIsNone(absences.until(3))

    def test_forgotten(self) -> None:
        """In another stream at the same path nothing was missed."""
        absences = Absences()
        absences.back(5)
        absences.forget()
        self.assertIsNone(absences.until(0))

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=6), st.integers(0, 5))
    def test_any(self, lives: list[tuple[int, int]], before: int) -> None:
        """Told and missed in turn, each index is said to be what it was, and of which absence."""
        absences, expected = Absences(), [before] * before
        absences.back(before)
        for told, missed in lives:
            expected += [0] * told
            absences.left(len(expected))
            expected += [len(expected) + missed] * missed
            absences.back(len(expected))
        self.assertEqual([absences.until(index) or 0 for index in range(len(expected))], expected)
