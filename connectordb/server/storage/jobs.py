"""A queue of functions for threads to run, each with a future or outcome that always gets a result or an error."""

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
    """A function to run, and where its result goes."""

    __slots__ = ("_error", "_outcome", "_result", "_work")

    def __init__(self, work: Callable[[Given], Any], outcome: Outcome[Any] | Future[Any]) -> None:
        self._work = work
        self._outcome = outcome
        self._result: Any = None
        self._error: BaseException | None = None

    def begin(self) -> bool:
        """Begin the job, unless it was cancelled; return whether it begins. From then on it cannot be cancelled."""
        return self._outcome.set_running_or_notify_cancel()

    def run(self, given: Given) -> None:
        """Run the function and keep what it returns. What it raises is not caught."""
        self._result = self._work(given)

    def keep(self, error: BaseException) -> None:
        """Let the job end with *error*."""
        self._error = error

    @property
    def failed(self) -> bool:
        """Whether the job will end with an error."""
        return self._error is not None

    def finish(self) -> Callable[[], object]:
        """
        Pass on the result or the error. Nothing more can be done with the job after that.

        Returns:
            A function that wakes whoever waits. If it is equal for several jobs, call it once for all of them.
        """
        outcome, result, error = self._outcome, self._result, self._error
        # the error's traceback refers to this job: if the job still referred to the future, that would be a reference cycle
        del self._outcome, self._result, self._error, self._work
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)
        return _awake if isinstance(outcome, Future) else outcome.wake

    def fail(self, error: BaseException) -> None:
        """End the job with *error*, without running it."""
        if self.begin():
            self.keep(error)
            self.finish()()


def _awake() -> None:
    """Wake nobody: whoever waits for a future was woken by its result."""


class Jobs(Generic[Given]):
    """
    A queue of jobs for one or more threads.

    After `close`, the jobs in it can still be taken, and new work is refused with `ClosedError`. After `abandon`, all jobs in it
    and all new work fail.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        # ended by a None, after which nothing is put; each thread that takes the None puts it back for the others
        self._waiting: queue.SimpleQueue[Job[Given] | None] = queue.SimpleQueue()
        # guards what follows, and sees to it that nothing is put once one of them is set
        self._lock = threading.Lock()
        self._closed = False
        self._broken: BaseException | None = None

    def put(self, work: Callable[[Given], T]) -> Future[T]:
        """Hand in a function. Its future fails if there is no thread left to run it."""
        future: Future[T] = Future()
        self.give(work, future)
        return future

    def give(self, work: Callable[[Given], T], outcome: Outcome[T] | Future[T]) -> None:
        """Hand in a function. *outcome* gets its result, or an error if there is no thread left to run it."""
        job: Job[Given] = Job(work, outcome)
        with self._lock:
            if self._closed:
                raise ClosedError(f"{self._name} is closed: it takes no more work")
            if self._broken is None:
                self._waiting.put(job)
                return
        job.fail(self._broken)

    def take(self, seconds: float) -> Job[Given] | None:
        """Return the next job, waiting at most *seconds*; `None` if there is none, or the queue is closed and empty."""
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
        """Why all work fails; empty if it does not."""
        return "" if self._broken is None else str(self._broken)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return (self._closed or self._broken is not None) and not len(self)

    def close(self) -> None:
        """Accept no more work. The jobs in the queue are still done."""
        with self._lock:
            if not self._closed and self._broken is None:
                self._waiting.put(None)
            self._closed = True

    def abandon(self, error: BaseException) -> None:
        """Let all work in the queue fail, and all that comes."""
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
