"""Work handed to threads: a queue of functions with their futures, of which none is ever forgotten."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Generic, TypeVar

from ...exceptions import ClosedError
from .contract import Outcome

T = TypeVar("T")
Given = TypeVar("Given")


class Job(Generic[Given]):
    """A function and what becomes of it."""

    __slots__ = ("_error", "_outcome", "_result", "_work")

    def __init__(self, work: Callable[[Given], Any], outcome: Outcome[Any] | Future[Any]) -> None:
        self._work = work
        self._outcome = outcome
        self._result: Any = None
        self._error: BaseException | None = None

    def begin(self) -> bool:
        """Tell whether it is still wanted; from here on it cannot be cancelled."""
        return self._outcome.set_running_or_notify_cancel()

    def run(self, given: Given) -> None:
        """Run the function and keep what it returns; what it raises is raised."""
        self._result = self._work(given)

    def keep(self, error: BaseException) -> None:
        """Have *error* come out in the end."""
        self._error = error

    @property
    def failed(self) -> bool:
        """Whether an error will come out."""
        return self._error is not None

    def finish(self) -> Callable[[], object]:
        """
        Say what came of it; this is the last that is done with a job.

        Returns:
            What wakes whoever waits, to be called once for all jobs that return the same.
        """
        outcome, result, error = self._outcome, self._result, self._error
        # an error's traceback holds this job, which must not hold the future that holds the error
        del self._outcome, self._result, self._error, self._work
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)
        return _awake if isinstance(outcome, Future) else outcome.wake

    def fail(self, error: BaseException) -> None:
        """Tell whoever waits that it was never run."""
        if self.begin():
            self.keep(error)
            self.finish()()


def _awake() -> None:
    """Wake nobody: who waits for a future was woken by its result."""


class Jobs(Generic[Given]):
    """
    A queue of jobs for one or more threads.

    After `close` what is in it is still taken, new work is refused with `ClosedError`. After `abandon` everything in it
    and everything new fails.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        # nothing is put behind the None that ends it: it is put back by each thread that finds it
        self._waiting: queue.SimpleQueue[Job[Given] | None] = queue.SimpleQueue()
        # guards what follows, and that nothing is put after it is set
        self._lock = threading.Lock()
        self._closed = False
        self._broken: BaseException | None = None

    def put(self, work: Callable[[Given], T]) -> Future[T]:
        """Hand in a function; its future fails if nobody is left to run it."""
        future: Future[T] = Future()
        self.give(work, future)
        return future

    def give(self, work: Callable[[Given], T], outcome: Outcome[T] | Future[T]) -> None:
        """Hand in a function; *outcome* is told what comes of it, also if nobody is left to run it."""
        job: Job[Given] = Job(work, outcome)
        with self._lock:
            if self._closed:
                raise ClosedError(f"{self._name} is closed: it takes no more work")
            if self._broken is None:
                self._waiting.put(job)
                return
        job.fail(self._broken)

    def take(self, seconds: float) -> Job[Given] | None:
        """Return the next job, waiting for one *seconds* at most; none also if the queue is closed and empty."""
        try:
            job = self._waiting.get(timeout=seconds) if seconds else self._waiting.get_nowait()
        except queue.Empty:
            return None
        if job is None:
            self._waiting.put(None)
        return job

    def __len__(self) -> int:
        """Return how many jobs wait."""
        return max(self._waiting.qsize() - (self._closed or self._broken is not None), 0)

    @property
    def broken(self) -> str:
        """Why everything fails; empty if it does not."""
        return "" if self._broken is None else str(self._broken)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return (self._closed or self._broken is not None) and not len(self)

    def close(self) -> None:
        """Take no more work; what is in the queue is still to be done."""
        with self._lock:
            if not self._closed and self._broken is None:
                self._waiting.put(None)
            self._closed = True

    def abandon(self, error: BaseException) -> None:
        """Fail all work that waits, and all that comes."""
        left: list[Job[Given] | None] = []
        with self._lock:
            self._broken = error
            with suppress(queue.Empty):
                while True:
                    left.append(self._waiting.get_nowait())
            self._waiting.put(None)
        for job in left:
            if job is not None:
                job.fail(error)
