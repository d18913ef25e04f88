"""A Logger's clocks: the wall clock can be stepped, and a wait ends when what it waits for has happened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from connectordb.runtime.clock import Clock

#: The Logger's wait for late copies, about; a shorter one is for something else, and takes this long at most.
LATE, _PAUSE = 5.0, 0.02


class StageClock(Clock):
    """
    The machine's clocks, and what was added to them.

    The Logger waits ten seconds for copies of what it sent that may be on their way. Here it is known which are on their way:
    *pass_time* lets all of them arrive that are ever going to in that time, and returns when they have. Nothing is left out but the
    idle time; the clock by which intervals are measured shows the ten seconds all the same.

    Args:
        pass_time: Is told how long somebody wants to wait, and returns when that time is over in the world of the fault.
    """

    def __init__(self, pass_time: Callable[[float], None]) -> None:
        self._pass_time = pass_time
        self._stepped = 0.0
        self._waited = 0.0

    def wall(self) -> float:
        """Return seconds since 1970, as somebody has set them."""
        return time.time() + self._stepped

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic() + self._waited

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Let *seconds* pass."""
        if seconds < LATE:  # until a next try, in the background
            return event.wait(min(seconds, _PAUSE))
        if event.is_set():
            return True
        self._pass_time(seconds)
        self._waited += seconds
        return event.is_set()

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        self._stepped += seconds

    def let_pass(self, seconds: float) -> None:
        """Have some time gone by."""
        self._waited += seconds
