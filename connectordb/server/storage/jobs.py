"""Work handed to threads: a queue of functions with their futures, of which none is ever forgotten."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from ...exceptions import ClosedError

T = TypeVar("T")
Given = TypeVar("Given")


class Job(Generic[Given]):
    """A function and the future of its result."""

    def __init__(self, work: Callable[[Given], Any], future: Future[Any]) -> None:
        self._work = work
        self._future = future
        self._result: Any = None
        self._error: BaseException | None = None

    def begin(self) -> bool:
        """Tell whether it is still wanted; from here on it cannot be cancelled."""
        return self._future.set_running_or_notify_cancel()

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

    def finish(self) -> None:
        """Tell whoever waits; this is the last that is done with a job."""
        future, result, error = self._future, self._result, self._error
        # an error's traceback holds this job, which must not hold the future that holds the error
        del self._future, self._result, self._error, self._work
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Tell whoever waits that it was never run."""
        if self.begin():
            self._future.set_exception(error)


class Jobs(Generic[Given]):
    """
    A queue of jobs for one or more threads.

    After `close` what is in it is still taken, new work is refused with `ClosedError`. After `abandon` everything in it
    and everything new fails.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        # guards all below
        self._changed = threading.Condition()
        self._waiting: deque[Job[Given]] = deque()
        self._closed = False
        self._broken: BaseException | None = None

    def put(self, work: Callable[[Given], T]) -> Future[T]:
        """Hand in a function; its future fails if nobody is left to run it."""
        future: Future[T] = Future()
        job: Job[Given] = Job(work, future)
        with self._changed:
            if self._closed:
                raise ClosedError(f"{self._name} is closed: it takes no more work")
            if self._broken is None:
                self._waiting.append(job)
                self._changed.notify()
                return future
        job.fail(self._broken)
        return future

    def take(self, seconds: float) -> Job[Given] | None:
        """Return the next job, waiting for one *seconds* at most; none also if the queue is closed and empty."""
        with self._changed:
            if not self._waiting and not self.ended:
                self._changed.wait(seconds)
            return self._waiting.popleft() if self._waiting else None

    def __len__(self) -> int:
        """Return how many jobs wait."""
        return len(self._waiting)

    @property
    def broken(self) -> str:
        """Why everything fails; empty if it does not."""
        return "" if self._broken is None else str(self._broken)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return not self._waiting and (self._closed or self._broken is not None)

    def close(self) -> None:
        """Take no more work; what is in the queue is still to be done."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abandon(self, error: BaseException) -> None:
        """Fail all work that waits, and all that comes."""
        with self._changed:
            self._broken = error
            left = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for job in left:
            job.fail(error)
