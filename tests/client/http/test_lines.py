"""The connections that are kept, and who uses them."""

from __future__ import annotations

import gc
import threading
from typing import Any
from unittest import mock

from connectordb.client.http.allowance import Allowance
from connectordb.client.http.lines import Lines
from connectordb.client.timeouts import Timeout
from connectordb.client.trace import Trace
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
        """The one that was used last is used next, so that the others may go."""
        lines = self.lines()
        one, _turn = lines.take(self.allowance())
        two, _other = lines.take(self.allowance())
        self.assertIsNot(one, two)
        lines.give_back(one, 1.0)
        lines.give_back(two, 1.0)
        del _turn, _other
        for _ in range(3):
            again, turn = lines.take(self.allowance())
            self.assertIs(again, two)
            lines.give_back(again, 1.0)
            del turn

    def test_turns(self) -> None:
        """A turn that is let go is somebody else's, however that came about."""
        lines = self.lines(1)
        for _ in range(3):
            try:
                taken = lines.take(self.allowance())
                raise KeyboardInterrupt
            except KeyboardInterrupt:
                del taken
        line, turn = lines.take(self.allowance())
        with self.assertRaises(TimedOut):
            lines.take(self.allowance(pool=10 * MS))
        del turn
        lines.take(self.allowance())

    def test_waits(self) -> None:
        """Who waits goes on when another is done."""
        lines, got = self.lines(1), threading.Event()
        line, turn = lines.take(self.allowance())

        def wait() -> None:
            lines.take(self.allowance())
            got.set()

        thread = threading.Thread(target=wait)
        thread.start()
        self.assertFalse(got.wait(20 * MS))
        lines.give_back(line, 0.0)
        del turn
        self.wait(got)
        thread.join(SOON)

    def test_no_circle(self) -> None:
        """What is not used any more goes, turns included."""
        lines = self.lines()
        turns = lines._turns
        del lines
        gc.collect()
        waiting = turns.qsize()
        self.assertEqual(waiting, 2)


class Ending(LinesCase):
    """Too old, dropped, or closed."""

    def test_idle(self) -> None:
        """One that was not used for long is closed before it is used; and so are those that nobody needs any more."""
        clock = SteppedClock()
        lines = self.lines(3, clock)
        taken = [lines.take(self.allowance(clock)) for _ in range(3)]
        for line, _ in taken:
            lines.give_back(line, clock.monotonic())
        names = [line for line, _ in taken]
        taken.clear()
        clock.advance(3.9)
        line, turn = lines.take(self.allowance(clock))
        line.close.assert_not_called()  # type: ignore[attr-defined]
        clock.advance(0.2)
        lines.give_back(line, clock.monotonic())
        self.assertEqual([one.close.call_count for one in names], [1, 1, 0])  # type: ignore[attr-defined]
        clock.advance(4.1)
        self.assertIs(lines.take(self.allowance(clock))[0], line)
        line.close.assert_called_once()  # type: ignore[attr-defined]

    def test_close(self) -> None:
        """All are ended, those in use too; whoever waits is told, and so is who comes later."""
        lines, told = self.lines(1), threading.Event()
        line, turn = lines.take(self.allowance())

        def wait() -> None:
            try:
                lines.take(self.allowance())
            except ConnectionFailed:
                told.set()

        thread = threading.Thread(target=wait)
        thread.start()
        lines.close()
        lines.close()
        line.abort.assert_called()  # type: ignore[attr-defined]
        self.wait(told)
        thread.join(SOON)
        lines.give_back(line, 0.0)
        line.close.assert_called_once()  # type: ignore[attr-defined]
        del turn
        with self.assertRaises(ConnectionFailed):
            lines.take(self.allowance())

    def test_drop(self) -> None:
        """Only those that nobody uses are closed."""
        lines = self.lines()
        used, idle = lines.take(self.allowance()), lines.take(self.allowance())
        lines.give_back(idle[0], 0.0)
        lines.drop()
        used[0].close.assert_not_called()  # type: ignore[attr-defined]
        idle[0].close.assert_called_once()  # type: ignore[attr-defined]
