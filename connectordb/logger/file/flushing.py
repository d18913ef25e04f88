"""The flush that many commits share: within a second of the first of them, on a thread that only exists as long as it is needed."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable

from ...exceptions import StorageError
from ...runtime.clock import SYSTEM
from ...runtime.worker import Worker

log = logging.getLogger(__name__)

#: The most seconds from a commit to its flush, and the least from one flush to the next.
PERIOD = 1.0

#: Seconds that closing waits for a flush that is under way.
_PATIENCE = 5.0


class Flushing:
    """
    Flushes a file after it was written to.

    The thread ends when nothing was written for a `PERIOD`, so that an idle program is not woken up.

    Args:
        flush: Flushes everything written so far. It outlives this object, so it must not keep others alive.
    """

    def __init__(self, flush: Callable[[], None]) -> None:
        self._unflushed = _Unflushed(flush)
        # guards the two below; a signal handler may come while its own thread has it
        self._lock = threading.RLock()
        self._worker: Worker | None = None
        self._stopping = False
        # at the interpreter's exit, the thread may not get to it any more
        self._at_exit = weakref.finalize(self, self._unflushed.flush_quietly)

    def note(self) -> None:
        """Note that something was written."""
        if self._unflushed.there:
            return
        with self._lock:
            self._unflushed.there = True
            if self._worker is None:
                self._start()

    def now(self) -> None:
        """
        Flush, if anything was written.

        Raises:
            StorageError: The disk failed; it is tried again later.
        """
        self._unflushed.flush()

    def close(self) -> None:
        """Flush for the last time, and end the thread; may be called twice."""
        with self._lock:
            self._stopping, worker = True, self._worker
        if worker is not None:
            worker.stop()
            worker.join(_PATIENCE)
        self._at_exit.detach()
        self.now()

    def after_fork_in_child(self) -> None:
        """Begin anew, without a thread; what was written is for the parent to flush."""
        self._lock = threading.RLock()
        self._worker = None
        self._unflushed.after_fork_in_child()

    def _start(self) -> None:
        worker = Worker("logger-flush", self._run)
        try:
            worker.start()
        except RuntimeError:  # no thread can be started, at the interpreter's exit for one
            self._unflushed.flush()
        else:
            self._worker = worker

    def _run(self, stopping: threading.Event) -> None:
        while not SYSTEM.wait(stopping, PERIOD):
            with self._lock:
                if not self._unflushed.there:
                    self._worker = None
                    return
            self._unflushed.flush_quietly()


class _Unflushed:
    """Whether there is something to flush; a separate object, so that it can be flushed when the `Flushing` is gone."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._failed = False
        self._flushing = threading.RLock()  # held during a flush, so that others wait for one that is under way
        self.there = False

    def flush(self) -> None:
        """Flush if there is something."""
        with self._flushing:
            if self.there:
                self.there = False  # before flushing: what is written from now on may come too late for this flush
                try:
                    self._flush()
                except BaseException:
                    self.there = True
                    raise

    def after_fork_in_child(self) -> None:
        """Begin anew: what there is to flush is for the parent."""
        self._flushing = threading.RLock()
        self.there = False

    def flush_quietly(self) -> None:
        """Flush if there is something, and log it if that fails, once."""
        try:
            self.flush()
        except StorageError as error:
            if not self._failed:
                log.error("what was logged is not safe from a power cut; it is flushed again every second: %s", error)
            self._failed = True
        else:
            self._failed = False
