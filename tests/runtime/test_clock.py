"""The clocks."""

from __future__ import annotations

import threading
import time
import warnings

from connectordb.runtime.clock import AT_A_TIME, SYSTEM, Clock, Deadline

from ..support.case import SOON, Case
from ..support.clock import SteppedClock


class Clocks(Case):
    """The machine's clocks, and one that a test moves."""

    def test_the_machine(self) -> None:
        """The wall clock is the machine's; the monotonic one goes on."""
        self.assertAlmostEqual(SYSTEM.wall(), time.time(), delta=5)
        self.assertLessEqual(SYSTEM.monotonic(), SYSTEM.monotonic())

    def test_since_boot(self) -> None:
        """Where there is a clock that counts from the machine's start, it is not behind the monotonic one."""
        if SYSTEM.boot is None:
            self.skipTest("this system has no such clock")
        before = SYSTEM.monotonic()
        self.assertGreaterEqual(SYSTEM.boot(), before)
        self.assertEqual(SYSTEM.boot_id(), Clock().boot_id())

    def test_warnings(self) -> None:
        """Asking it warns of nothing: Python 3.13 does where a class has a partial function that it will take for a method."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for clock in SYSTEM, type("Another", (Clock,), {})():
                self.assertIsNotNone(clock.boot() if clock.boot else 0.0)

    def test_waiting(self) -> None:
        """A wait ends with the event or with the time, also if that is a century."""
        event = threading.Event()
        self.assertFalse(Clock().wait(event, 0.001))
        event.set()
        self.assertTrue(Clock().wait(event, 1e300))

    def test_at_a_time(self) -> None:
        """Ctrl-C in the instant before a wait is not seen until that ends: none is longer than a person waits."""
        self.assertLess(AT_A_TIME, SOON / 5)


class Deadlines(Case):
    """One timeout over several steps."""

    def test_what_is_left(self) -> None:
        """Time that passes is taken off, and nothing is left at the end."""
        clock = SteppedClock()
        deadline = Deadline(5, clock)
        clock.advance(3)
        self.assertEqual((deadline.left(), deadline.passed()), (2, False))
        clock.advance(3)
        self.assertEqual((deadline.left(), deadline.passed()), (0, True))

    def test_none(self) -> None:
        """Without a timeout there is no end."""
        deadline = Deadline(None, SteppedClock())
        self.assertEqual((deadline.left(), deadline.passed()), (None, False))

    def test_the_wall_clock_moves_nothing(self) -> None:
        """A step of the wall clock does not touch a deadline."""
        clock = SteppedClock()
        deadline = Deadline(5, clock)
        clock.step(-3600)
        self.assertEqual(deadline.left(), 5)
