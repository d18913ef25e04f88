"""
Whose turn it is at the file's only writing connection, and who rides along.

A caller who finds nobody writing commits at once. Those who come meanwhile queue up, and when the turn is over the first
of them commits for all: one transaction, one disk flush. What is written is the caller's business (`store`); here are
only turns. A second writing connection would starve in SQLite's busy waiting while others insert, so every write of this
process comes through here, the syncing thread's too.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from threading import get_ident
from typing import Any, TypeVar, cast

from ..exceptions import ClosedError, LoggerError
from ..runtime import sqlite

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[sqlite.Connection], T]

#: Callers in one commit; beyond that the first of them would wait too long for the last.
_TOGETHER = 256

#: Seconds after which a caller who still waits says so; a commit takes milliseconds, on a dying disk seconds.
_PATIENCE = 60.0


class _Turn:
    """One caller's work, waiting."""

    __slots__ = ("done", "error", "latch", "leads", "result", "thread", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.thread = get_ident()
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.leads = False
        self.latch = threading.Lock()  # held until the turn is done, or leads
        self.latch.acquire()

    def wake(self) -> None:
        """Have its thread go on, unless that runs already."""
        if self.latch.locked():
            self.latch.release()


class Commits:
    """The writing connection, one caller or one group of callers at a time."""

    def __init__(
        self, connection: sqlite.Connection, path: str | os.PathLike[str], on_rollback: Callable[[], None]
    ) -> None:
        """Take *connection* over; *on_rollback* is told, by who has the turn, that something written was undone."""
        self._connection = connection
        self._path = path
        self._process = os.getpid()
        self._on_rollback = on_rollback
        # guards the three below, never held while something is written
        self._mutex = threading.Lock()
        self._leader: int | None = None  # the thread whose turn it is
        self._queue: list[_Turn] = []
        self._closed = False

    def run(self, work: Work[T], *, atomic: bool = False) -> T:
        """
        Run *work* on the connection, and return its result once that is on disk.

        Args:
            work: Writes, and raises if it cannot; then none of it is kept. It may be run again if others in the same
                transaction failed.
            atomic: It is a single statement, or at least right without a transaction around it, which is faster.

        Raises:
            StorageError: The file cannot be written; `StorageFull` if there is no space.
            ClosedError: After `close`.
            LoggerError: This is a child of the process that opened the file.
        """
        if not self.is_ours:
            raise self.foreign_error()
        turn: _Turn | None = None
        try:
            with self._mutex:
                if self._closed:
                    raise self._closed_error()
                if self._leader in (None, get_ident()):  # ours: Ctrl-C came when we were about to pass it on
                    self._leader = get_ident()
                else:
                    turn = _Turn(work)
                    self._queue.append(turn)
            return self._alone(work, atomic) if turn is None else cast(T, self._ride(turn))
        except BaseException:
            if turn is not None:
                with self._mutex:  # Ctrl-C: give the place in the queue away
                    if turn in self._queue:
                        self._queue.remove(turn)
            raise
        finally:
            try:
                self._pass_on()
            except BaseException:  # Ctrl-C, once more: nobody else could ever write
                self._pass_on()
                raise

    @property
    def is_ours(self) -> bool:
        """Whether this process opened the file: after a ``fork``, its locks belong to threads that are not here."""
        return os.getpid() == self._process

    def foreign_error(self) -> LoggerError:
        """Return what is raised where it did not."""
        return LoggerError(
            f"the cache file {os.fspath(self._path)!r} was opened by process {self._process}, of which this is a child made "
            "by fork, and SQLite files do not survive that: open a Logger on a file of its own here, or have processes "
            "started by multiprocessing's 'spawn' method"
        )

    def close(self) -> None:
        """Let those who are queued finish, then close the connection; nothing is written any more."""
        if not self.is_ours:
            return
        with self._mutex:
            if self._closed:
                return
        try:
            self.run(self._end, atomic=True)
        except ClosedError:  # somebody else was faster
            return

    def _end(self, connection: sqlite.Connection) -> None:
        with self._mutex:
            self._closed = True

    def _alone(self, work: Work[T], atomic: bool) -> T:
        try:
            if atomic:
                return work(self._connection)
            self._connection.execute("BEGIN IMMEDIATE")
            result = work(self._connection)
            self._connection.execute("COMMIT")
            return result
        except BaseException:
            self._undo()
            # outside the way of those who succeed: entering this block costs as much as a tenth of an insert
            with sqlite.translated(self._path, "writing"):
                raise

    def _undo(self) -> None:
        """Leave no transaction open, however far it came: what is written next would only seem to be on disk."""
        self._on_rollback()
        # a full disk may have ended it already
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _ride(self, turn: _Turn) -> Any:
        while not turn.latch.acquire(timeout=_PATIENCE):
            log.warning("waiting for %s to be written, for %g s by now", os.fspath(self._path), _PATIENCE)
        if turn.leads:
            group: list[_Turn] = []
            try:
                with self._mutex:
                    group = self._queue[:_TOGETHER]
                    del self._queue[:_TOGETHER]
                self._together(group)
            finally:
                with self._mutex:  # who was not served, as the leader was interrupted, waits for the next turn
                    self._queue[:0] = [
                        other for other in group if not other.done and other is not turn and other not in self._queue
                    ]
        if turn.error is not None:
            raise turn.error
        return turn.result

    def _together(self, group: list[_Turn]) -> None:
        results: list[Any] = []
        committing = False
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for turn in group:
                results.append(turn.work(self._connection))
            committing = True
            self._connection.execute("COMMIT")
        except BaseException as error:
            kept = committing and not self._connection.in_transaction
            self._undo()
            if isinstance(error, Exception):
                self._apart(group)
                return
            if kept:  # Ctrl-C just after the commit: their rows are in the file
                self._serve(group, results)
            raise  # the others are served by the next turn
        self._serve(group, results)

    def _serve(self, group: list[_Turn], results: list[Any]) -> None:
        for turn, result in zip(group, results, strict=True):
            turn.result = result
            self._finish(turn)

    def _apart(self, group: list[_Turn]) -> None:
        """One of a group failed: each for himself now, so that the others do not suffer."""
        for turn in group:
            try:
                turn.result = self._alone(turn.work, atomic=False)
            except Exception as error:
                turn.error = error
            self._finish(turn)

    @staticmethod
    def _finish(turn: _Turn) -> None:
        turn.done = True
        turn.wake()

    def _pass_on(self) -> None:
        """Let the first who waits lead, if the turn is ours; doing so twice is as good as once."""
        with self._mutex:
            if self._leader != get_ident():
                return
            if self._closed:
                self._connection.close()
                for turn in self._queue:
                    turn.error = self._closed_error()
                    turn.wake()
                self._queue.clear()
            if self._queue:
                turn = self._queue[0]
                turn.leads = True
                turn.wake()
                self._leader = turn.thread
            else:
                self._leader = None

    def _closed_error(self) -> ClosedError:
        return ClosedError(f"the cache file {os.fspath(self._path)!r} was closed")
