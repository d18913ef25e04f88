"""The connections that are kept, and who uses them."""

from __future__ import annotations

import threading
from typing import Any
from unittest import mock

from connectordb.client.http.allowance import Allowance
from connectordb.client.http.lines import Lines
from connectordb.client.terms.timeouts import Timeout
from connectordb.client.terms.trace import Trace
from connectordb.exceptions import ConnectionFailed, TimedOut
from connectordb.runtime.clock import SYSTEM
from tests.support.case import MS, SOON, Case
from tests.support.clock import SteppedClock


class LinesCase(Case):
    """Lines that connect to nothing."""

    def lines(self, size: int = 2, clock: Any = SYSTEM) -> Lines:
        """Return some."""
        return Lines(size, 4.0, mock.Mock, clock)

    def allowance(self, clock: Any = SYSTEM, pool: float = SOON) -> Allowance:
        """Return the time of a request."""
        timeout = Timeout(pool=pool)
        return Allowance(timeout, timeout.deadline(clock), Trace(), clock)


class Using(LinesCase):
    """Taken, and given back."""

    def test_last_first(self) -> None:
        """The one that was used last is used next, so that the others may go; one that failed comes last."""
        lines = self.lines(3)
        one, two, three = (lines.take(self.allowance()) for _ in range(3))
        lines.give_back(one, 1.0, True)
        lines.give_back(two, 1.0, True)
        lines.give_back(three, 1.0, False)
        for _ in range(3):
            again = lines.take(self.allowance())
            self.assertIs(again, two)
            lines.give_back(again, 1.0, True)
        self.assertEqual([lines.take(self.allowance()) for _ in range(3)], [two, one, three])

    def test_as_many_as_live(self) -> None:
        """One that is let go leaves its place to another, however that came about."""
        lines = self.lines(1)
        for _ in range(3):
            try:
                line = lines.take(self.allowance())
                raise KeyboardInterrupt
            except KeyboardInterrupt:
                del line
        line = lines.take(self.allowance())
        with self.assertRaises(TimedOut):
            lines.take(self.allowance(pool=10 * MS))
        del line
        lines.take(self.allowance())

    def test_waits(self) -> None:
        """Who waits goes on when another is done."""
        lines, got = self.lines(1), threading.Event()
        line = lines.take(self.allowance())

        def wait() -> None:
            taken = lines.take(self.allowance())
            got.set()
            lines.give_back(taken, 0.0, True)

        threads = [threading.Thread(target=wait) for _ in range(3)]
        for thread in threads:
            thread.start()
        self.assertFalse(got.wait(20 * MS))
        lines.give_back(line, 0.0, True)
        for thread in threads:
            thread.join(SOON)
        self.assertTrue(got.is_set())
        self.assertFalse(lines._waiting)


class Ending(LinesCase):
    """Too old, dropped, or closed."""

    def test_idle(self) -> None:
        """One that was not used for long is closed before it is used; and so are those that nobody needs any more."""
        clock = SteppedClock()
        lines = self.lines(3, clock)
        taken: list[Any] = [lines.take(self.allowance(clock)) for _ in range(3)]
        for line in taken:
            lines.give_back(line, clock.monotonic(), True)
        clock.advance(3.9)
        line = lines.take(self.allowance(clock))
        line.close.assert_not_called()
        clock.advance(0.2)
        lines.give_back(line, clock.monotonic(), True)
        self.assertEqual([one.close.call_count for one in taken], [1, 1, 0])
        clock.advance(4.1)
        self.assertIs(lines.take(self.allowance(clock)), line)
        line.close.assert_called_once()

    def test_close(self) -> None:
        """All are ended, those in use too; whoever waits is told, and so is who comes later."""
        lines, told = self.lines(1), threading.Event()
        line: Any = lines.take(self.allowance())

        def wait() -> None:
            try:
                lines.take(self.allowance())
            except ConnectionFailed:
                told.set()

        thread = threading.Thread(target=wait)
        thread.start()
        lines.close()
        lines.close()
        line.abort.assert_called()
        self.wait(told)
        thread.join(SOON)
        lines.give_back(line, 0.0, True)
        line.close.assert_called_once()
        with self.assertRaises(ConnectionFailed):
            lines.take(self.allowance())

    def test_drop(self) -> None:
        """Only those that nobody uses are closed."""
        lines = self.lines()
        used: Any
        idle: Any
        used, idle = lines.take(self.allowance()), lines.take(self.allowance())
        lines.give_back(idle, 0.0, True)
        lines.drop()
        used.close.assert_not_called()
        idle.close.assert_called_once()
