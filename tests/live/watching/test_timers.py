"""Tests of `connectordb.live.watching.timers`."""

from __future__ import annotations

from connectordb.live.watching.timers import Timers
from tests.support.case import Case


class TimersTests(Case):
    """What is due, and when something will be."""

    def test_order(self) -> None:
        """Actions are taken in the order of their times, those of equal times as they were put."""
        timers, done = Timers(), []
        self.assertIsNone(timers.next())
        for at, name in ((3.0, "c"), (1.0, "a"), (1.0, "b"), (9.0, "d")):
            timers.put(at, lambda name=name: done.append(name))  # type: ignore[misc]
        self.assertEqual((timers.take(0.5), timers.next()), ([], 1.0))
        for action in timers.take(3.0):
            action()
        self.assertEqual((done, timers.next()), (["a", "b", "c"], 9.0))
