"""Whose turn it is to sync a file: one thread of one process at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path

from filelock import FileLock, Timeout

from ...exceptions import LoggerError, StorageError
from ...runtime.clock import Deadline

#: The most seconds for which a look at who has the turn may itself take it.
_GLANCE = 0.1


class Busy(LoggerError):
    """Another thread or process is syncing the file; it sends our points, too."""


class Holder(Enum):
    """Who has the turn."""

    NOBODY = auto()
    HERE = auto()
    ELSEWHERE = auto()


class Turn:
    """
    The turn at syncing *file*.

    Between processes, this is a lock of the operating system on a file beside it. It ends with its process, however that ends,
    so nothing ever has to be cleaned up.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        # guards the two below; a Condition would not do, as Ctrl-C while one is entered leaves it locked
        self._mutex = threading.RLock()
        self._taker: object | None = None
        self._waiting: list[threading.Lock] = []  # each is released when the turn may be free
        self._process = FileLock(f"{file}.lock")

    @contextmanager
    def taken(self, within: float) -> Iterator[None]:
        """
        Have the turn for the length of a block.

        Raises:
            Busy: It is still taken after *within* seconds.
            StorageError: The lock file cannot be created.
        """
        # it may be taken only for a moment, by a call of `holder`
        within = max(within, _GLANCE)
        taker = object()
        try:  # before taking it: otherwise, a Ctrl-C just afterwards would leave it taken for ever
            self._take(taker, within)
            try:
                self._process.acquire(timeout=within, poll_interval=min(within, 0.05))
            except Timeout as error:
                raise Busy(f"another process is syncing {os.fspath(self._file)!r}; it sends our points too") from error
            except OSError as error:
                raise StorageError(f"locking {self._process.lock_file!r}: {error.strerror}") from error
            yield
        finally:
            try:
                self._give_back(taker)
            except BaseException:  # Ctrl-C, once more: nobody could ever sync again
                self._give_back(taker)
                raise

    def holder(self) -> Holder:
        """Return who has the turn; if nobody does, this takes it for a moment."""
        taker = object()
        try:
            with self._mutex:
                if self._taker is not None:
                    return Holder.HERE
                self._taker = taker
            self._process.acquire(timeout=0)
            return Holder.NOBODY
        except Timeout:
            return Holder.ELSEWHERE
        except OSError:  # the lock file cannot be created, so nobody can sync
            return Holder.NOBODY
        finally:
            try:
                self._give_back(taker)
            except BaseException:  # Ctrl-C, once more: nobody could ever sync again
                self._give_back(taker)
                raise

    def _take(self, taker: object, within: float) -> None:
        """Take the turn among the threads of this process."""
        deadline = Deadline(within)
        latch = threading.Lock()
        try:
            while True:
                latch.acquire(blocking=False)
                with self._mutex:
                    if self._taker is None:
                        self._taker = taker
                        return
                    if latch not in self._waiting:
                        self._waiting.append(latch)
                if not latch.acquire(timeout=deadline.left() or 0.0):
                    raise Busy(f"another thread is syncing {os.fspath(self._file)!r}; it sends our points too")
        finally:
            with self._mutex:
                if latch in self._waiting:
                    self._waiting.remove(latch)

    def _give_back(self, taker: object) -> None:
        """Give the turn back, if *taker* has it; doing so twice does no harm."""
        if self._taker is taker:
            self._process.release(force=True)  # does nothing if the lock was not taken yet
            with self._mutex:
                for latch in self._waiting:
                    if latch.locked():
                        latch.release()
                self._taker = None

    def leave(self) -> None:
        """
        Let go of the lock file, in a forked child.

        The child's copy of the open file keeps the parent's lock alive, and unlocking it would unlock the parent, too; so it is
        only closed. Newer versions of filelock have done that already.
        """
        context = self._process._context
        if context.lock_file_fd is not None:
            os.close(context.lock_file_fd)
            context.lock_file_fd = None
