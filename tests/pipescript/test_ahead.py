"""Points that are looked at before they are taken."""

from __future__ import annotations

import unittest
from collections.abc import Iterator

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript.ahead import Ahead, Cursor, Point, branched
from connectordb.pipescript.limits import Limits, Run


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


def failing(number: int) -> Iterator[Point]:
    """Yield so many points, and then fail."""
    for t in range(1, number + 1):
        yield {"t": float(t), "d": float(t)}
    raise PipeScriptError("no more")


class Holding(unittest.TestCase):
    """What was looked at counts until it is taken."""

    def test_counted(self) -> None:
        """By its size."""
        run = Run(Limits(held_max=2000))
        cursor = Cursor(iter([{"t": float(t), "d": "x" * 500} for t in range(9)]), run)
        cursor.peek(3)
        held = run.held
        self.assertGreater(held, 1500)
        next(cursor)
        self.assertLess(run.held, held)
        cursor.peek(3)
        self.assertEqual(run.held, held)
        with self.assertRaisesRegex(PipeScriptError, "maximum memory"):
            cursor.peek(4)


class Further(unittest.TestCase):
    """Further down a sequence, and several times."""

    def test_a_failure_is_an_end_until_it_is_taken(self) -> None:
        """So that what comes before it comes out."""
        cursor = Cursor(failing(2))
        self.assertEqual((cursor.peek(2), cursor.peek(3)), ({"t": 2.0, "d": 2.0}, None))
        self.assertEqual([next(cursor)["d"], next(cursor)["d"]], [1, 2])
        with self.assertRaises(PipeScriptError):
            next(cursor)

    def test_several_times(self) -> None:
        """All points are there for each, whoever comes first, and then the failure."""
        for branch in branched(failing(3), 3):
            self.assertEqual([next(branch)["t"] for _ in range(3)], [1, 2, 3])
            with self.assertRaises(PipeScriptError):
                next(branch)
