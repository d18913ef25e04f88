"""One named thread with one event that ends it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Worker:
    """
    A daemon thread that runs ``run(stopping)`` until that returns; *stopping* is set when it is to end.

    ``start`` may be called again after ``stop``; calling either twice does nothing. An exception that leaves *run* is
    logged with its traceback, told to *on_crash*, and ends the thread. If ``start`` raises, there is no thread.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[threading.Event], None],
        on_crash: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._name = f"connectordb-{name}"
        self._run = run
        self._on_crash = on_crash
        # guards the two below
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> bool:
        """Start the thread; tell whether it was not running before."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive() and not self._stopping.is_set():
                return False
            self._stopping = threading.Event()
            self._thread = threading.Thread(target=self._top, args=(self._stopping,), name=self._name, daemon=True)
            try:
                self._thread.start()
            except BaseException:  # there are no more; or Ctrl-C, and it may come all the same: then it ends at once
                self._thread = None
                raise
            return True

    def stop(self) -> None:
        """Ask the thread to end, without waiting for it."""
        with self._lock:
            self._stopping.set()

    def join(self, timeout: float | None) -> bool:
        """Wait for the end, *timeout* seconds at most; tell whether it has come. On the thread itself, this does not wait."""
        with self._lock:
            thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout)
        if thread.is_alive():
            if timeout == 0:
                return False
            log.warning("%s has not ended within %.3g seconds", self._name, timeout)
            return False
        return True

    @property
    def is_running(self) -> bool:
        """Whether the thread runs and has not been asked to end."""
        with self._lock:
            return self._thread is not None and self._thread.is_alive() and not self._stopping.is_set()

    def _top(self, stopping: threading.Event) -> None:
        with self._lock:
            if (
                self._thread is not threading.current_thread()
            ):  # whoever started it was interrupted, or thought better of it
                return
        try:
            self._run(stopping)
        except BaseException as error:  # that of a cancelled task, say, which would end in no log
            log.exception("%s ended by an error of its own; this is a bug", self._name)
            if self._on_crash is not None:
                self._on_crash(error)
