"""
A few threads for work that takes long, behind a bounded queue.

One crew hashes passwords, as each hash needs 16 MiB and a core; another computes the answers to queries.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from ..exceptions import ClosedError, ConnectorDBError
from ..runtime.worker import Worker

T = TypeVar("T")

#: Seconds that `Crew.close` waits for each thread to finish what it is doing.
CLOSE_TIMEOUT = 5.0

#: The longest that an idle thread waits, in seconds. Nothing depends on it: no wait should be without an end.
_IDLE = 60.0


class Busy(ConnectorDBError):
    """The queue is full."""


class Crew:
    """
    Threads that take work from a bounded queue.

    Args:
        name: What the work is, in one word; the threads are named after it.
        threads: How many threads there are.
        waiting: How many pieces of work may wait in the queue.
    """

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._name = name
        self._jobs: queue.Queue[tuple[Future[Any], Callable[[], Any]]] = queue.Queue(waiting)
        # guards _closed, so that nothing is queued after it is set
        self._lock = threading.Lock()
        self._closed = False
        self._workers = [Worker(f"{name}-{number}", self._run) for number in range(1, threads + 1)]
        for worker in self._workers:
            worker.start()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """
        Have *work* done on one of the threads.

        Raises:
            Busy: The queue is full.
            ClosedError: The threads have ended.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise ClosedError(f"the threads for {self._name} have ended")
            try:
                if self._jobs.full():
                    self._drop_unwanted()
                self._jobs.put_nowait((future, work))
            except queue.Full as error:
                raise Busy(f"too many {self._name} wait already") from error
        return future

    def _drop_unwanted(self) -> None:
        """Remove cancelled work from the queue: clients that ask and go away must not keep it full."""
        jobs = []
        with contextlib.suppress(queue.Empty):
            while True:
                jobs.append(self._jobs.get_nowait())
        for job in jobs:
            if not job[0].cancelled():
                self._jobs.put_nowait(job)

    def close(self) -> None:
        """End the threads; work that waits is cancelled. May be called again."""
        with self._lock:
            self._closed = True
            while not self._jobs.empty():
                future, _ = self._jobs.get_nowait()
                future.cancel()
            for worker in self._workers:
                worker.stop()
            # an empty job wakes a thread, which then sees that it should stop: all are asked before, as any may take it
            for _ in self._workers:
                if not self._jobs.full():
                    self._jobs.put_nowait((Future(), lambda: None))
        for worker in self._workers:
            worker.join(CLOSE_TIMEOUT)

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                future, work = self._jobs.get(timeout=_IDLE)
            except queue.Empty:
                continue
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)
