"""Tests of `connectordb.logger.file.callers`; how callers take turns is in `test_commits`."""

from __future__ import annotations

import threading

from connectordb.logger.file.callers import Caller, is_ours, is_under_way, let_go
from tests.support.case import SOON, Case


class CallersTests(Case):
    """A caller is woken; a lock is one's own or not."""

    def test_caller(self) -> None:
        """Waking it twice is as good as once; one that leads does not wait."""
        caller = Caller(lambda connection: None, lasting=True)
        self.assertFalse(caller.latch.acquire(blocking=False))
        caller.wake()
        caller.wake()
        self.assertTrue(caller.latch.acquire(blocking=False))
        self.assertTrue(Caller(lambda connection: None, lasting=True, leads=True).latch.acquire(blocking=False))

    def test_let_go(self) -> None:
        """Others can have a lock meanwhile, however often it was taken; afterwards it is ours as it was."""
        lock, taken = threading.RLock(), []
        other = threading.Thread(target=lambda: taken.append(lock.acquire(timeout=SOON)) or lock.release())
        with lock, lock:
            with let_go(lock):
                self.assertFalse(is_ours(lock))
                other.start()
                other.join(SOON)
            self.assertTrue(is_ours(lock))
        self.assertEqual((taken, is_ours(lock)), ([True], False))
        with let_go(lock):  # which nobody has
            self.assertFalse(is_ours(lock))

    def test_is_under_way(self) -> None:
        """A call is under way while what it calls asks, and not before or afterwards."""

        def outer(depth: int) -> bool:
            return inner() if not depth else outer(depth - 1)

        def inner() -> bool:
            return asked()

        def asked() -> bool:
            return is_under_way(outer)

        self.assertTrue(outer(2))
        self.assertFalse(inner())
