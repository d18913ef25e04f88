"""Points that are looked at before they are taken."""

from __future__ import annotations

import unittest

from connectordb.pipescript.ahead import Ahead, Point


class Looking(unittest.TestCase):
    """What is next, and what was passed."""

    POINTS: tuple[Point, ...] = ({"t": 1}, {"t": 2}, {"t": 2}, {"t": 3})

    def test_taking(self) -> None:
        """One after the other."""
        ahead = Ahead(self.POINTS)
        self.assertIsNone(ahead.passed)
        for point in self.POINTS:
            self.assertIs(ahead.next, point)
            self.assertIs(ahead.take(), point)
            self.assertIs(ahead.passed, point)
        self.assertIsNone(ahead.next)

    def test_windows(self) -> None:
        """Each has what the one before left, up to and with its time."""
        ahead = Ahead(self.POINTS)
        self.assertEqual(list(ahead.window(0)), [])
        self.assertEqual(list(ahead.window(2)), list(self.POINTS[:3]))
        self.assertEqual(list(ahead.window(2)), [])
        ahead.skip(9)
        self.assertEqual((ahead.next, ahead.passed), (None, self.POINTS[3]))

    def test_nothing(self) -> None:
        """No points at all."""
        ahead = Ahead(())
        ahead.skip(1)
        self.assertEqual((ahead.next, ahead.passed, list(ahead.window(2))), (None, None, []))
