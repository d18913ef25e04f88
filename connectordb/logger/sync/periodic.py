"""The thread that syncs in the background: once at the start, then every period."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...runtime.clock import Clock
from ...runtime.worker import Worker


class Periodic:
    """
    Runs a function again and again on the thread ``connectordb-logger``.

    Args:
        run: The function; it is to end early if the event that it is passed is set.
        period: Returns the seconds between two runs.
        clock: The clocks.
    """

    def __init__(self, run: Callable[[threading.Event], object], period: Callable[[], float], clock: Clock) -> None:
        self._run = run
        self._period = period
        self._clock = clock
        self._worker = Worker("logger", self._loop)
        self._due: float | None = None  # when the next run is due, in monotonic seconds
        # set to wake the waiting thread: it is to end, or the period has changed
        self._look_up = threading.Event()

    @property
    def is_running(self) -> bool:
        """Whether the thread runs and has not been asked to end."""
        return self._worker.is_running

    @property
    def left(self) -> float | None:
        """Seconds until the next run; ``None`` if none will come, or one is under way."""
        due = self._due
        return None if due is None or not self.is_running else max(due - self._clock.monotonic(), 0.0)

    def start(self) -> None:
        """Start the thread, unless it is running."""
        self._worker.start()

    def stop(self, within: float) -> bool:
        """End the thread, waiting at most *within* seconds for the present run; tell whether it has ended."""
        self._worker.stop()
        self._look_up.set()
        return self._worker.join(within)

    def changed(self) -> None:
        """Begin a new period now; the thread asks how long it is."""
        self._look_up.set()

    def _loop(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            self._run(stopping)
            self._look_up.clear()
            while not stopping.is_set() and self._clock.wait(self._look_up, self._seconds()):
                self._look_up.clear()
            self._due = None

    def _seconds(self) -> float:
        seconds = self._period()
        self._due = self._clock.monotonic() + seconds
        return seconds
