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
from typing import Any, TypeVar, cast

from ..exceptions import ClosedError
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

    __slots__ = ("done", "error", "latch", "leads", "result", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.leads = False
        self.latch = threading.Lock()  # held until the turn is done, or leads
        self.latch.acquire()


class Commits:
    """The writing connection, one caller or one group of callers at a time."""

    def __init__(
        self, connection: sqlite.Connection, path: str | os.PathLike[str], on_rollback: Callable[[], None]
    ) -> None:
        """Take *connection* over; *on_rollback* is told, by who has the turn, that something written was undone."""
        self._connection = connection
        self._path = path
        self._on_rollback = on_rollback
        # guards the three below, never held while something is written
        self._mutex = threading.Lock()
        self._busy = False
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
        """
        self._mutex.acquire()
        if self._closed:
            self._mutex.release()
            raise ClosedError(f"the cache file {os.fspath(self._path)!r} was closed")
        if self._busy:
            turn = _Turn(work)
            self._queue.append(turn)
            self._mutex.release()
            return cast(T, self._ride(turn))
        self._busy = True
        self._mutex.release()
        try:
            return self._alone(work, atomic)
        finally:
            self._pass_on()

    def close(self) -> None:
        """Let those who are queued finish, then close the connection; nothing is written any more."""
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
            with sqlite.transaction(self._connection):
                return work(self._connection)
        except BaseException:
            self._on_rollback()
            # outside the way of those who succeed: entering this block costs as much as a tenth of an insert
            with sqlite.translated(self._path, "writing"):
                raise

    def _ride(self, turn: _Turn) -> Any:
        try:
            while not turn.latch.acquire(timeout=_PATIENCE):
                log.warning("waiting for %s to be written, for %g s by now", os.fspath(self._path), _PATIENCE)
        except BaseException:  # Ctrl-C: give the place in the queue away, and the turn too if it has just come
            with self._mutex:
                if turn in self._queue:
                    self._queue.remove(turn)
            if turn.leads:
                self._pass_on()
            raise
        if turn.leads:
            with self._mutex:
                group = self._queue[:_TOGETHER]
                del self._queue[:_TOGETHER]
            try:
                self._together(group)
            finally:
                with self._mutex:  # who was not served, as the leader was interrupted, waits for the next turn
                    self._queue[:0] = [other for other in group if not other.done and other is not turn]
                self._pass_on()
        if turn.error is not None:
            raise turn.error
        return turn.result

    def _together(self, group: list[_Turn]) -> None:
        results, committing = [], False
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for turn in group:
                results.append(turn.work(self._connection))
            committing = True
            self._connection.execute("COMMIT")
        except BaseException as error:
            self._on_rollback()
            kept = committing and not self._connection.in_transaction
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, Exception):
                self._apart(group)
                return
            if not kept:  # Ctrl-C: the others are served by the next turn
                raise
            self._serve(group, results)  # Ctrl-C just after the commit: their rows are in the file
            raise
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
        if not turn.leads:
            turn.latch.release()

    def _pass_on(self) -> None:
        with self._mutex:
            if self._closed:
                self._connection.close()
                for turn in self._queue:
                    turn.error = ClosedError(f"the cache file {os.fspath(self._path)!r} was closed")
                    turn.latch.release()
                self._queue.clear()
            elif self._queue:
                self._queue[0].leads = True
                self._queue[0].latch.release()
            else:
                self._busy = False
