"""Waiting for a change in the cache file: woken by this process's, looking again now and then for those of others."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..runtime.clock import Deadline

#: Seconds after which who waits looks again: another process may have made the change, and wakes nobody here.
PERIOD = 1.0


class Changes:
    """Who waits for a change."""

    def __init__(self) -> None:
        # guards the two below
        self._condition = threading.Condition(threading.Lock())
        self._count = 0
        self._waiting = 0

    def tell(self) -> None:
        """Wake those who wait; costs nothing if there are none."""
        # no lock: whoever comes to wait from now on looks after what was changed before
        if self._waiting:
            with self._condition:
                self._count += 1
                self._condition.notify_all()

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until *condition* holds, *seconds* at most; tell whether it does."""
        deadline = Deadline(seconds)
        with self._condition:
            self._waiting += 1
        try:
            while True:
                seen = self._count
                if condition():
                    return True
                left = deadline.left() or 0.0
                if not left:
                    return False
                with self._condition:
                    self._condition.wait_for(lambda: self._count != seen, min(left, PERIOD))  # noqa: B023
        finally:
            with self._condition:
                self._waiting -= 1

    def after_fork_in_child(self) -> None:
        """Begin anew: those who wait are in the parent."""
        self._condition = threading.Condition(threading.Lock())
        self._waiting = 0
