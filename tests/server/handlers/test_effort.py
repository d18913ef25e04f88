"""How long an answer may be computed, and how large it may be."""

from __future__ import annotations

import unittest
from typing import Any

from connectordb.exceptions import PipeScriptError
from connectordb.server.handlers.effort import Effort, TooMuch

from ...support.clock import SteppedClock


class Spending(unittest.TestCase):
    """Work counts, waiting does not."""

    def setUp(self) -> None:
        self.clock = SteppedClock()
        self.effort = Effort(10, 100, 1000, self.clock)

    def test_pieces(self) -> None:
        """Pieces of work add up; what is between them is free."""
        for _ in range(3):
            with self.effort.spent():
                self.clock.advance(3)
                self.effort()
            self.clock.advance(100)
            self.effort()
        with self.assertRaisesRegex(TooMuch, "longer than 10 s"), self.effort.spent():
            self.clock.advance(2)
            self.effort()

    def test_waiting_for_the_storage(self) -> None:
        """Does not count, but whether there is time left is seen before."""

        def fetch(work: Any, /) -> Any:
            self.clock.advance(1000)
            return work(None)

        with self.effort.spent():
            self.clock.advance(9)
            self.assertEqual(self.effort.waiting(fetch)(lambda reader: 5), 5)
            self.effort()
            self.clock.advance(2)
            with self.assertRaises(TooMuch):
                self.effort.waiting(fetch)(lambda reader: 5)

    def test_size(self) -> None:
        """All that comes out counts, in whatever pieces."""
        for _ in range(10):
            with self.effort.spent():
                self.effort.made(10)
        with self.assertRaisesRegex(TooMuch, "more than 100 bytes"), self.effort.spent():
            self.effort.made(1)

    def test_what_streams_hold(self) -> None:
        """Is bounded together; one of them alone may have a point of any size."""
        self.effort.hold(5000)
        self.effort.hold(400, 5000)
        self.effort.hold(600)
        with self.assertRaisesRegex(TooMuch, "1001 bytes of them at once"):
            self.effort.hold(601, 600)
        self.effort.hold(0, 601)
        self.effort.hold(600)

    def test_anew(self) -> None:
        """The next answer has all of it again."""
        for _ in range(5):
            self.effort.renew()
            with self.effort.spent():
                self.clock.advance(9)
                self.effort.made(100)

    def test_stopped(self) -> None:
        """What nobody waits for ends, and does not begin again."""
        self.effort.stop()
        self.effort.renew()
        with self.assertRaisesRegex(TooMuch, "nobody waits"), self.effort.spent():
            self.effort()

    def test_no_failure_of_a_script(self) -> None:
        """Which would be the end of its points for what looks ahead."""
        self.assertFalse(issubclass(TooMuch, PipeScriptError))
