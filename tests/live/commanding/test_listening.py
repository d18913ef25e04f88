"""Hearing on one thread what is said on others."""

from __future__ import annotations

import threading
import time

from connectordb.live.commanding.listening import Ear
from tests.support.case import MS, SOON, Case


class EarTests(Case):
    """Waiting."""

    def test_order(self) -> None:
        """What was said before and meanwhile is taken in, in order, by the thread that waits."""
        ear, heard = Ear(), list[tuple[int, threading.Thread]]()

        def say(number: int) -> None:
            ear.hear(lambda: heard.append((number, threading.current_thread())))

        say(1)
        say(2)
        ear.wait(SOON)
        later = threading.Timer(20 * MS, say, (3,))
        later.start()
        ear.wait(SOON)
        later.join()
        me = threading.current_thread()
        self.assertEqual(heard, [(1, me), (2, me), (3, me)])

    def test_nothing(self) -> None:
        """Nobody waits longer than he wants to."""
        began = time.monotonic()
        Ear().wait(10 * MS)
        self.assertLess(time.monotonic() - began, SOON / 2)
