"""
Whose turn it is at the file's only writing connection, and who rides along.

A caller that finds nobody writing commits at once. Callers that come meanwhile queue up, and when the turn is over, the first of them
commits for all: one transaction, one disk flush. Many of them come again at once; then the first lets the others come before it
commits, so that it does not flush for itself alone. What is written is decided elsewhere (`rows`); here are only turns. A second writing
connection would starve in SQLite's busy waiting while others insert, so every write of this process comes through here, including
those of the syncing thread.

If the file's durability allows it, what need not survive a power cut is committed without a flush, until something comes that has to
survive: its flush also covers everything written before it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from itertools import takewhile
from threading import get_ident
from typing import Any, TypeVar, cast

from ...exceptions import ClosedError, LoggerError
from ...runtime import sqlite

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[sqlite.Connection], T]

#: The most callers in one commit; with more, the first of them would wait too long for the last.
_TOGETHER = 256

#: Seconds after which a caller that still waits logs that; a commit takes milliseconds, or seconds on a dying disk.
_PATIENCE = 60.0

#: Seconds in which a thread that was woken gets to run.
_COURTESY = 50e-6

#: Connections of parent processes. They are never closed here, as that could take locks away from the parent.
_PARENTS: list[sqlite.Connection | None] = []


class _Turn:
    """One caller's work, waiting."""

    __slots__ = ("alone", "done", "error", "lasting", "latch", "leads", "result", "thread", "work")

    def __init__(self, work: Work[Any], lasting: bool, alone: bool = False, leads: bool = False) -> None:
        self.work = work
        self.lasting = lasting
        self.alone = alone  # whether it wants the turn for itself (`Commits.hold`), and has no work
        self.thread = get_ident()
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.leads = leads
        self.latch = threading.Lock()  # held until the turn is done, or leads
        if not leads:
            self.latch.acquire()

    def wake(self) -> None:
        """Wake its thread, unless that is running already."""
        if self.latch.locked():
            self.latch.release()


class Commits:
    """
    The writing connection, one caller or one group of callers at a time.

    Attributes:
        is_ours: Whether this process may use the file; a forked child may not if the file was busy for too long before the fork.
        queued: How many callers have had to wait for their turn.

    Args:
        path: The file.
        connect: Opens it when it is first needed, and again after `let_go`.
        on_commit: Called, by the thread that has the turn, when a transaction was committed.
        on_rollback: Called, by the thread that has the turn, when something that was written was undone.
        all_last: Flush every commit, and not only those that have to survive a power cut.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        connect: Callable[[], sqlite.Connection],
        on_commit: Callable[[], None],
        on_rollback: Callable[[], None],
        all_last: bool = True,
    ) -> None:
        self._path = path
        self._connect = connect
        self._connection: sqlite.Connection | None = None
        self._flushes = True  # whether the connection flushes what it commits
        self._all_last = all_last
        self._on_commit, self._on_rollback = on_commit, on_rollback
        # guards the three below, never held while something is written
        self._mutex = threading.Lock()
        self._leader: int | None = None  # the thread whose turn it is
        self._queue: list[_Turn] = []
        self._closed = False
        self.queued = 0
        self._crowded = False  # whether the last turn was that of a group; only changed by whoever has the turn
        self.is_ours = True

    def run(self, work: Work[T], *, atomic: bool = False, lasting: bool = True) -> T:
        """
        Run *work* on the connection, and return its result once that is committed.

        Args:
            work: Writes; if it raises, nothing that it wrote is kept. It may be run again if other work in the same
                transaction failed.
            atomic: *work* needs no transaction around it, as it is a single statement, say. That is faster.
            lasting: Once this returns, this and everything committed before it has to survive a power cut.

        Raises:
            StorageError: The file cannot be written; `StorageFull` if there is no space.
            ClosedError: After `close`.
        """
        turn: _Turn | None = None
        thread = get_ident()
        try:
            with self._mutex:
                if self._closed:
                    raise self.closed_error()
                if self._leader is None or self._leader == thread:  # ours: Ctrl-C came when we were about to pass it on
                    self._leader = thread
                    if self._crowded:
                        turn = _Turn(work, lasting, leads=True)
                        self._queue.insert(0, turn)
                else:
                    turn = _Turn(work, lasting)
                    self._queue.append(turn)
                    self.queued += 1
            if turn is not None and turn.leads:
                time.sleep(0)  # other threads of the last group may be about to come
            return self._alone(work, atomic, lasting) if turn is None else cast(T, self._ride(turn))
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

    def let_others(self) -> None:
        """Let the thread that has got the turn run at once: it was waiting, and still needs the interpreter, which we hold."""
        if self._leader is not None:
            time.sleep(_COURTESY)

    def hold(self, seconds: float) -> bool:
        """
        Wait for the turn, *seconds* at most, and keep it until `release`; tell whether we have it.

        A thread that already has the turn does not get it like this, as it may be in the middle of a transaction.
        """
        with self._mutex:
            if self._leader is None:
                self._leader = get_ident()
                return True
            if self._leader == get_ident():
                return False
            turn = _Turn(lambda connection: None, lasting=False, alone=True)
            self._queue.append(turn)
        try:
            turn.latch.acquire(timeout=seconds)
        finally:
            with self._mutex:
                if turn in self._queue:
                    self._queue.remove(turn)
        return turn.leads

    def release(self) -> None:
        """Pass on the turn that was kept."""
        self._pass_on()

    def let_go(self) -> None:
        """Close the connection, which is opened again when it is needed; to be called by whoever holds the turn."""
        if self._connection is not None:
            sqlite.leave(self._connection)
            self._connection = None

    def begin_anew(self) -> None:
        """Forget the threads that waited, which do not exist here: in a child that was forked while this thread held the turn."""
        self._mutex = threading.Lock()
        self._leader = None
        self._queue = []
        self._crowded = False

    def disown(self, *also: sqlite.Connection | None) -> None:
        """Never touch the connections again, nor write anything: in a child that was forked while another thread had the turn."""
        self.begin_anew()
        _PARENTS.extend((self._connection, *also))
        self._connection = None
        self._closed = True
        self.is_ours = False

    def close(self) -> None:
        """Let the callers in the queue finish, then close the connection; nothing is written any more."""
        with self._mutex:
            if self._closed:
                return
        try:
            self.run(self._end, atomic=True)
        except ClosedError:  # another thread has closed it meanwhile
            return

    def _end(self, connection: sqlite.Connection) -> None:
        with self._mutex:
            self._closed = True

    def _ready(self, lasting: bool) -> sqlite.Connection:
        """Return the connection, set up so that it flushes the next commit if that has to last."""
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
            self._flushes = True
        if lasting is not self._flushes and not self._all_last:
            # in this order, so that an interrupt in between can only cause a flush too many
            self._flushes = False
            sqlite.flush_commits(connection, lasting)
            self._flushes = lasting
        return connection

    def _alone(self, work: Work[T], atomic: bool, lasting: bool) -> T:
        try:
            connection = self._connection
            if connection is None or (lasting is not self._flushes and not self._all_last):
                connection = self._ready(lasting)
            if atomic:
                return work(connection)
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            connection.execute("COMMIT")
            self._on_commit()
            return result
        except BaseException:
            self._undo()
            # only here, after a failure, as entering this block costs a tenth of an insert
            with sqlite.translated(self._path, "writing"):
                raise

    def _undo(self) -> None:
        """Leave no transaction open, however far it got: what is written next would only seem to be on disk."""
        self._on_rollback()
        # SQLite may have ended it already, as on a full disk
        if self._connection is not None and self._in_transaction:
            self._connection.execute("ROLLBACK")

    @property
    def _in_transaction(self) -> bool:
        return self._connection is not None and self._connection.in_transaction

    def _ride(self, turn: _Turn) -> Any:
        while not turn.latch.acquire(timeout=_PATIENCE):
            log.warning("waiting for %s to be written, for %g s by now", os.fspath(self._path), _PATIENCE)
        if turn.leads:
            group: list[_Turn] = []
            try:
                with self._mutex:
                    group = list(takewhile(lambda other: not other.alone, self._queue[:_TOGETHER]))
                    del self._queue[: len(group)]
                self._together(group)
            finally:
                with self._mutex:  # if the leader was interrupted, those it has not served wait for the next turn
                    for other in reversed(group):
                        if not other.done and other is not turn and other not in self._queue:
                            self._queue.insert(0, other)
        if turn.error is not None:
            raise turn.error
        return turn.result

    def _together(self, group: list[_Turn]) -> None:
        results: list[Any] = []
        committing = False
        try:
            connection = self._ready(any(turn.lasting for turn in group))
            connection.execute("BEGIN IMMEDIATE")
            for turn in group:
                results.append(turn.work(connection))
            committing = True
            connection.execute("COMMIT")
            self._on_commit()
        except BaseException as error:
            kept = committing and not self._in_transaction
            self._undo()
            if isinstance(error, Exception):
                self._apart(group)
                return
            if kept:  # Ctrl-C just after the commit: their rows are in the file
                self._serve(group, results)
            raise  # the others are served by the next turn
        self._serve(group, results)

    def _serve(self, group: list[_Turn], results: list[Any]) -> None:
        self._crowded = len(group) > 1
        for turn, result in zip(group, results, strict=True):
            turn.result = result
            self._finish(turn)

    def _apart(self, group: list[_Turn]) -> None:
        """One of a group failed: commit for each of them separately, so that the others do not suffer."""
        for turn in group:
            try:
                turn.result = self._alone(turn.work, False, turn.lasting)
            except Exception as error:
                turn.error = error
            self._finish(turn)

    @staticmethod
    def _finish(turn: _Turn) -> None:
        turn.done = True
        turn.wake()

    def _pass_on(self) -> None:
        """If the turn is ours, pass it on to the first thread that waits; doing so twice does no harm."""
        with self._mutex:
            if self._leader != get_ident():
                return
            if self._closed:
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None
                for turn in self._queue:
                    turn.error = self.closed_error()
                    turn.wake()
                self._queue.clear()
            if self._queue:
                turn = self._queue[0]
                turn.leads = True
                turn.wake()
                self._leader = turn.thread
            else:
                self._leader = None

    def closed_error(self) -> ClosedError | LoggerError:
        """Return the error to be raised once nothing can be written any more."""
        if not self.is_ours:
            return LoggerError(
                f"the cache file {os.fspath(self._path)!r} was being written to or read when this process was forked, for longer "
                "than a fork waits, and belongs to the parent process alone: open another Logger here, on a file of its own"
            )
        return ClosedError(f"the cache file {os.fspath(self._path)!r} was closed")
