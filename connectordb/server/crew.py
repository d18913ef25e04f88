"""
Threads for what takes long: few, with a bounded queue before them.

One crew hashes passwords, as each hash takes memory and a core; another computes the answers of queries.
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

#: Seconds that a thread may take to end: what it does must end by then.
CLOSE_TIMEOUT = 5.0

#: Seconds after which an idle thread looks up; nothing depends on it.
_IDLE = 60.0


class Busy(ConnectorDBError):
    """Too much is waiting already."""


class Crew:
    """
    Threads that do what takes long, and a queue before them.

    Args:
        name: What the threads are called, and are for.
        threads: How many there are.
        waiting: How much may wait for one of them.
    """

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._name = name
        self._jobs: queue.Queue[tuple[Future[Any], Callable[[], Any]]] = queue.Queue(waiting)
        # guards what follows, and that nothing is queued after it is set
        self._lock = threading.Lock()
        self._closed = False
        self._workers = [Worker(f"{name}-{number}", self._run) for number in range(1, threads + 1)]
        for worker in self._workers:
            worker.start()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """
        Have *work* done on one of the threads.

        Raises:
            Busy: Too much is waiting.
            ClosedError: They have ended.
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
        """Take out of the queue what was cancelled: who asks and goes away must not leave it full."""
        jobs = []
        with contextlib.suppress(queue.Empty):
            while True:
                jobs.append(self._jobs.get_nowait())
        for job in jobs:
            if not job[0].cancelled():
                self._jobs.put_nowait(job)

    def close(self) -> None:
        """End the threads; what waits is cancelled. May be called again."""
        with self._lock:
            self._closed = True
            while not self._jobs.empty():
                future, _ = self._jobs.get_nowait()
                future.cancel()
            for worker in self._workers:
                worker.stop()
                # wakes one of them, which then finds that it is to end
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
