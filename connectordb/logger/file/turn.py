"""Who may sync a file now: one thread of one process."""

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

#: Seconds for which a look at who has the turn may take it, at most.
_GLANCE = 0.1


class Busy(LoggerError):
    """Somebody else is syncing the file; what waits in it is sent, ours too."""


class Holder(Enum):
    """Who has the turn."""

    NOBODY = auto()
    HERE = auto()
    ELSEWHERE = auto()


class Turn:
    """
    Taken by who syncs *file*.

    Between processes it is a lock of the operating system on a file beside it: it ends with its process, however that ends,
    and nothing has to be cleaned up.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        # guards the two below; a Condition would not do, as Ctrl-C while one is entered leaves it locked
        self._mutex = threading.Lock()
        self._taker: object | None = None
        self._waiting: list[threading.Lock] = []  # each is released when it may be free
        self._process = FileLock(f"{file}.lock")

    @contextmanager
    def taken(self, within: float) -> Iterator[None]:
        """
        Have the turn for the length of a block.

        Raises:
            Busy: Somebody else still has it after *within* seconds.
            StorageError: The file beside it cannot be made.
        """
        # somebody may be looking just now who has it
        within = max(within, _GLANCE)
        taker = object()
        try:  # first: a Ctrl-C just after it was taken would leave it taken for ever
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
        """Look who has it, which takes it for a moment if it is free."""
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
        except OSError:  # the file cannot be made: nobody can sync
            return Holder.NOBODY
        finally:
            try:
                self._give_back(taker)
            except BaseException:  # Ctrl-C, once more: nobody could ever sync again
                self._give_back(taker)
                raise

    def _take(self, taker: object, within: float) -> None:
        """Keep other threads out."""
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
        """Let others have it, if *taker* has it; doing so twice is as good as once."""
        if self._taker is taker:
            self._process.release(force=True)  # which it may not have come to
            with self._mutex:
                for latch in self._waiting:
                    if latch.locked():
                        latch.release()
                self._taker = None

    def leave(self) -> None:
        """
        Have nothing to do with it any more, in a child made by fork.

        The child's copy of the open file keeps the parent's lock alive, and to unlock it would be to unlock the parent: it is
        only closed. Newer versions of the library have done that by now.
        """
        context = self._process._context
        if context.lock_file_fd is not None:
            os.close(context.lock_file_fd)
            context.lock_file_fd = None
