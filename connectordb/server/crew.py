"""Threads on which passwords are hashed: few, as each hash takes memory and a core, and with a bounded queue before them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from ..exceptions import ClosedError, ConnectorDBError
from ..runtime.worker import Worker

T = TypeVar("T")

#: Hashes that are computed at once, each in its 16 MiB, and how many may wait for that: some seconds' worth.
THREADS = 2
WAITING = 100

#: Seconds that a thread may take to end: no more than a hash does.
CLOSE_TIMEOUT = 5.0

#: Seconds after which an idle thread looks up; nothing depends on it.
_IDLE = 60.0


class Busy(ConnectorDBError):
    """Too much is waiting already."""


class Hashers:
    """Threads that do what takes long on purpose, and a queue before them."""

    def __init__(self, threads: int = THREADS, waiting: int = WAITING) -> None:
        self._jobs: queue.Queue[tuple[Future[Any], Callable[[], Any]]] = queue.Queue(waiting)
        # guards what follows, and that nothing is queued after it is set
        self._lock = threading.Lock()
        self._closed = False
        self._workers = [Worker(f"passwords-{number}", self._run) for number in range(1, threads + 1)]
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
                raise ClosedError("the threads for passwords have ended")
            try:
                self._jobs.put_nowait((future, work))
            except queue.Full as error:
                raise Busy("too many passwords wait to be hashed") from error
        return future

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
