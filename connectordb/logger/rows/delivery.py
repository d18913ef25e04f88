"""
Bringing what waits to the server now: one pass after the other, until everything is there or the time is up.

The passes run on a thread of their own, ``connectordb-logger-delivery``, as a request may take longer than the caller wants to wait.
The thread ends after its current request.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ...exceptions import AuthenticationError, ClosedError, ResponseError
from ...runtime.backoff import Backoff
from ...runtime.clock import Clock, Deadline
from ...runtime.worker import Worker
from ..file import base
from .cache_file import CacheFile

#: The pauses between passes that failed: shorter than in the background, as somebody waits.
_BACKOFF = Backoff(0.25, 5.0)

#: Seconds that a caller whose goal is reached still waits for the pass to end and call its callbacks.
_FAREWELL = 1.0


class Goal:
    """
    The points that waited at one moment.

    Args:
        file: Their file.
        upto: Stream → the id of its newest point.
    """

    def __init__(self, file: CacheFile, upto: Mapping[int, int]) -> None:
        self._file = file
        self._upto = dict(upto)

    @property
    def is_reached(self) -> bool:
        """Whether none of them waits any more."""
        with self._file.reading() as connection:
            for stream, upto in list(self._upto.items()):
                query = "SELECT max(now + (last - first) / step) FROM fate WHERE first BETWEEN ? AND ?"
                lowest = base(stream)
                # an earlier point was sorted in meanwhile, so they have other ids
                while (found := _number(connection.execute(query, (lowest, upto)).fetchall())) > upto:
                    upto = self._upto[stream] = found
                query = (
                    "SELECT count(*) FROM (SELECT 1 FROM point WHERE id BETWEEN ?1 + 1 + "
                    "(SELECT held FROM stream WHERE id = ?2) AND ?3 LIMIT 1)"
                )
                if _number(connection.execute(query, (lowest, stream, upto)).fetchall()):
                    return False
                del self._upto[stream]
        return True


class Delivery:
    """
    The passes that one caller waits for.

    Args:
        file: The file.
        goal: What is to be delivered.
        attempt: Runs a pass, which ends early if the event is set; returns its failure.
        clock: The clocks.
        on_end: Called when no pass runs any more.
    """

    def __init__(
        self,
        file: CacheFile,
        goal: Goal,
        attempt: Callable[[threading.Event], Exception | None],
        clock: Clock,
        on_end: Callable[[Delivery], object],
    ) -> None:
        self._file, self._goal, self._attempt, self._clock, self._on_end = file, goal, attempt, clock, on_end
        self._over = threading.Event()
        self._worker = Worker("logger-delivery", self._run)

    def wait(self, timeout: float) -> bool:
        """Run passes for *timeout* seconds at most; tell whether the goal was reached."""
        deadline = Deadline(timeout, self._clock)
        self._worker.start()
        try:
            self._file.changes.wait(lambda: self._over.is_set() or self._goal.is_reached, timeout)
            if self._goal.is_reached:  # let the pass say so first, if that is all it has to do
                self._clock.wait(self._over, min(deadline.left() or 0.0, _FAREWELL))
            return self._goal.is_reached
        finally:
            self._worker.stop()

    def end(self, within: float) -> bool:
        """End the passes, waiting at most *within* seconds for the present request; tell whether they have ended."""
        self._worker.stop()
        return self._worker.join(within)

    def _run(self, stopping: threading.Event) -> None:
        try:
            failures = 0
            while not stopping.is_set():
                error = self._attempt(stopping)
                if self._goal.is_reached or (isinstance(error, AuthenticationError) and error.status == 401):
                    return  # a key that was refused would be refused again
                failures += 1
                asked = error.retry_after if isinstance(error, ResponseError) else None
                self._clock.wait(stopping, max(_BACKOFF.pause(failures, random.random), asked or 0.0))
        except ClosedError:
            return  # the Logger was closed meanwhile; the caller that waits sees that for itself
        finally:
            self._over.set()
            self._file.changes.tell()
            self._on_end(self)


def _number(rows: list[Any]) -> int:
    ((value,),) = rows
    return int(value or 0)
