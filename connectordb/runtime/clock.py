"""
The clocks, as one object that a test can replace.

Only datapoints are stamped by the wall clock. All intervals and deadlines go by the monotonic clock, which no
administrator and no time server sets.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

#: Seconds that a wait for a lock or a condition takes at a time, so that Ctrl-C gets through. Windows does not interrupt such a
#: wait; elsewhere it is not interrupted by a signal that came just before it, after Python had looked for signals.
AT_A_TIME = 0.1 if sys.platform == "win32" else 1.0

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock:
    """
    The machine's clocks.

    Attributes:
        boot: Returns seconds since the machine started, including those in which it slept; ``None`` if the system has no such clock.
    """

    # not a method of ours, as it is called for every point that is logged, and a call of a method costs more
    boot: Callable[[], float] | None = None if _BOOT is None else staticmethod(partial(time.clock_gettime, _BOOT))

    def wall(self) -> float:
        """Return seconds since 1970, by the machine's clock."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since some moment; never goes back."""
        return time.monotonic()

    def boot_id(self) -> str | None:
        """Return the id of this start of the machine; ``None`` if the system has none."""
        try:
            return _BOOT_ID.read_text().strip()
        except OSError:
            return None

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until *event* is set, *seconds* at most; tell whether it is."""
        # an Event does not accept more; that is long enough
        return event.wait(min(seconds, threading.TIMEOUT_MAX))


#: The clock that everything uses unless given another.
SYSTEM = Clock()


class Deadline:
    """One timeout, spread over several steps that may block."""

    def __init__(self, seconds: float | None, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        self._end = None if seconds is None else clock.monotonic() + seconds

    def left(self) -> float | None:
        """Return how many seconds are left, at least 0; ``None`` if there is no end."""
        return None if self._end is None else max(0.0, self._end - self._clock.monotonic())

    def passed(self) -> bool:
        """Tell whether the time is up."""
        return self.left() == 0.0
