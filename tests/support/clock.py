"""A clock that a test moves."""

from __future__ import annotations

import threading

from connectordb.runtime.clock import Clock


class SteppedClock(Clock):
    """Stands still until it is told; a wait lets its time pass at once."""

    def __init__(self, wall: float = 1.7e9) -> None:
        # guards the two below
        self._lock = threading.Lock()
        self._wall = wall
        self._monotonic = 0.0

    def wall(self) -> float:
        """Return the wall clock's time."""
        with self._lock:
            return self._wall

    def monotonic(self) -> float:
        """Return the monotonic clock's time."""
        with self._lock:
            return self._monotonic

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Let *seconds* pass, unless *event* is set."""
        if event.is_set():
            return True
        self.advance(seconds)
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Let time pass, on both clocks."""
        with self._lock:
            self._wall += seconds
            self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back; no time passes."""
        with self._lock:
            self._wall += seconds
