"""
The clocks, as one object that a test can replace.

Only datapoints are stamped by the wall clock; every interval and deadline goes by the monotonic one, which no
administrator and no time server moves.
"""

from __future__ import annotations

import threading
import time


class Clock:
    """The machine's clocks."""

    def wall(self) -> float:
        """Return seconds since 1970, as the machine believes."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since some moment; never goes back."""
        return time.monotonic()

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
