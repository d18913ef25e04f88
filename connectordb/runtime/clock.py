"""
The clocks, as one object that a test can replace.

Only datapoints are stamped by the wall clock; every interval and deadline goes by the monotonic one, which no
administrator and no time server moves.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

#: Seconds that who wants to be interrupted by Ctrl-C waits for a lock or a condition at a time. Windows does not interrupt such
#: a wait; elsewhere one is not interrupted by a signal that came in the instant before it, after Python had looked for some.
AT_A_TIME = 0.1 if sys.platform == "win32" else 1.0

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock:
    """
    The machine's clocks.

    Attributes:
        boot: Returns seconds since the machine started, those in which it slept included; ``None`` where no clock does.
    """

    # not a method of ours: who asks for each point that is logged pays for every frame
    boot: Callable[[], float] | None = None if _BOOT is None else staticmethod(partial(time.clock_gettime, _BOOT))

    def wall(self) -> float:
        """Return seconds since 1970, as the machine believes."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since some moment; never goes back."""
        return time.monotonic()

    def boot_id(self) -> str | None:
        """Return the name of this start of the machine; ``None`` where the system gives it none."""
        try:
            return _BOOT_ID.read_text().strip()
        except OSError:
            return None

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until *event* is set, *seconds* at most; tell whether it is."""
        # an Event takes no more than this; nobody waits for a century
        return event.wait(min(seconds, threading.TIMEOUT_MAX))


#: The clock that everything uses unless it is given another.
SYSTEM = Clock()


class Deadline:
    """One timeout, spread over several steps that may block."""

    def __init__(self, seconds: float | None, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        self._end = None if seconds is None else clock.monotonic() + seconds

    def left(self) -> float | None:
        """Return the seconds that are left, 0 at the least; ``None`` if there is no end."""
        return None if self._end is None else max(0.0, self._end - self._clock.monotonic())

    def passed(self) -> bool:
        """Tell whether the time is up."""
        return self.left() == 0.0
