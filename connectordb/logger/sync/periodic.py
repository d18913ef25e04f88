"""The thread that syncs every now and then: once at the start, then every period."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...runtime.clock import Clock
from ...runtime.worker import Worker


class Periodic:
    """
    Runs something every now and then on the thread ``connectordb-logger``.

    Args:
        run: Does it; ends early if the event is set.
        period: Says how many seconds lie between two runs.
        clock: The clocks.
    """

    def __init__(self, run: Callable[[threading.Event], object], period: Callable[[], float], clock: Clock) -> None:
        self._run = run
        self._period = period
        self._clock = clock
        self._worker = Worker("logger", self._loop)
        self._due: float | None = None  # when it looks up by itself, in monotonic seconds
        # set when the thread should look up from its waiting: it is to end, or the period is another one
        self._look_up = threading.Event()

    @property
    def is_running(self) -> bool:
        """Whether the thread runs and has not been asked to end."""
        return self._worker.is_running

    @property
    def left(self) -> float | None:
        """Seconds until the next run; ``None`` if none is to come, or one is under way."""
        due = self._due
        return None if due is None or not self.is_running else max(due - self._clock.monotonic(), 0.0)

    def start(self) -> None:
        """Start the thread, unless it is running."""
        self._worker.start()

    def stop(self, within: float) -> bool:
        """End the thread, waiting *within* seconds at most for what it is doing; tell whether it has ended."""
        self._worker.stop()
        self._look_up.set()
        return self._worker.join(within)

    def changed(self) -> None:
        """Have the thread ask for the period again and count from now."""
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
