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
        self._boot_id = "a boot"
        self._up = 100.0
        self.boot = self._since_boot

    def wall(self) -> float:
        """Return the wall clock's time."""
        with self._lock:
            return self._wall

    def monotonic(self) -> float:
        """Return the monotonic clock's time."""
        with self._lock:
            return self._monotonic

    def _since_boot(self) -> float:
        with self._lock:
            return self._up

    def boot_id(self) -> str:
        """Return the name of this start of the machine."""
        with self._lock:
            return self._boot_id

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
            self._up += seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass while the machine sleeps, which stops the monotonic clock."""
        with self._lock:
            self._wall += seconds
            self._up += seconds

    def reboot(self, wall: float) -> None:
        """Start the machine anew, with its wall clock at *wall*."""
        with self._lock:
            self._wall = wall
            self._monotonic = self._up = 0.0
            self._boot_id += "'"

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back; no time passes."""
        with self._lock:
            self._wall += seconds
