"""Waiting for a change in the cache file: woken by changes of this process, and looking now and then for those of others."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...runtime.clock import Deadline

#: Seconds after which a waiting thread looks again: a change of another process wakes nobody here.
PERIOD = 1.0


class Changes:
    """The threads that wait for a change."""

    def __init__(self) -> None:
        # guards the one below; a Condition would not do, as Ctrl-C while one is entered leaves it locked
        self._mutex = threading.RLock()
        self._waiting: list[threading.Lock] = []  # each is released when something has changed

    def tell(self) -> None:
        """Wake the threads that wait; costs next to nothing if there are none."""
        # no lock needed: a thread that begins to wait from now on looks first, and sees what was changed before
        if self._waiting:
            with self._mutex:
                for latch in self._waiting:
                    if latch.locked():
                        latch.release()

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for *seconds* at most until *condition* is true; tell whether it is."""
        deadline = Deadline(seconds)
        latch = threading.Lock()
        with self._mutex:
            self._waiting.append(latch)
        try:
            while True:
                latch.acquire(blocking=False)  # before looking: a change from now on releases it
                if condition():
                    return True
                left = deadline.left() or 0.0
                if not left:
                    return False
                latch.acquire(timeout=min(left, PERIOD))
        finally:
            with self._mutex:
                self._waiting.remove(latch)

    def after_fork_in_child(self) -> None:
        """Begin anew: the threads that wait are the parent's."""
        self._mutex = threading.RLock()
        self._waiting = []
