"""
Whose turn it is at the file's only writing connection, and who rides along.

A caller that finds nobody writing commits at once. Callers that come meanwhile queue up, and when the turn is over, the first of them
commits for all: one transaction, one disk flush. Many of them come again at once; then the first lets the others come before it
commits, so that it does not flush for itself alone. What is written is decided elsewhere (`rows`); here are only turns. A second writing
connection would starve in SQLite's busy waiting while others insert, so every write of this process comes through here, including
those of the syncing thread.

If the file's durability allows it, what need not survive a power cut is committed without a flush, until something comes that has to
survive: its flush also covers everything written before it.

A signal handler of the program may write as well, in the middle of a write of the thread that it interrupts (`is_amid`). That one cannot
go on before the handler returns, so what it has begun is undone, and done again afterwards.
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
from .callers import Caller, Work, is_ours, is_under_way, let_go

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The most callers in one commit; with more, the first of them would wait too long for the last.
_TOGETHER = 256

#: Seconds after which a caller that still waits logs that; a commit takes milliseconds, or seconds on a dying disk.
_PATIENCE = 60.0

#: Seconds in which a thread that was woken gets to run.
_COURTESY = 50e-6

#: Seconds between two looks of a signal handler whose thread waits for its turn.
_GLANCE = 0.001

#: Connections of parent processes. They are never closed here, as that could take locks away from the parent.
_PARENTS: list[sqlite.Connection | None] = []


class _Undone(Exception):
    """A signal handler wrote in the middle of a transaction, which was undone for that."""


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
        # guards the three below, never held while something is written; a signal handler may come while its own thread has it
        self._mutex = threading.RLock()
        self._leader: int | None = None  # the thread whose turn it is
        self._queue: list[Caller] = []
        self._closed = self._kept = False  # kept: the turn, by `hold`
        self._undone = 0  # transactions that were undone by a signal handler's write
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
        turn: Caller | None = None
        thread = get_ident()
        if (self._leader is not None or is_ours(self._mutex)) and self.is_amid(thread):
            return self._amid(thread, work, lasting)
        try:
            with self._mutex:
                if self._closed:
                    raise self.closed_error()
                if self._leader is None or self._leader == thread:  # ours: Ctrl-C came when we were about to pass it on
                    self._leader = thread
                    if self._crowded:
                        turn = Caller(work, lasting, leads=True)
                        self._queue.insert(0, turn)
                else:
                    turn = Caller(work, lasting)
                    self._queue.append(turn)
                    self.queued += 1
                    if self._leader is None:  # a signal handler waited for the others just now, who are gone
                        self._lead(turn)
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

    def is_amid(self, thread: int) -> bool:
        """Tell whether *thread*, which asks, is in the middle of a write: then it asks in a signal handler."""
        if self._leader == thread:  # or Ctrl-C came when it was about to pass on its turn
            return self._kept or is_under_way(Commits.run)
        return is_ours(self._mutex) or self._is_queued(thread)

    def _is_queued(self, thread: int) -> bool:
        return any(turn.thread == thread for turn in self._queue)

    def _amid(self, thread: int, work: Work[T], lasting: bool) -> T:
        """Run *work* in the middle of what *thread* is about."""
        while not is_ours(self._mutex) and self._leader != thread and self._is_queued(thread):
            time.sleep(_GLANCE)  # others write; it is the turn of this thread next, or somebody else serves it
        if self._closed:
            raise self.closed_error()
        if self._leader == thread and not self._kept:
            return self._between(work, lasting)
        if self._leader == thread:
            raise LoggerError(
                f"writing {os.fspath(self._path)!r}: a signal handler came just when its process was forking"
            )
        if self._leader is None and is_ours(self._mutex):
            self._leader = thread
            try:
                return self._between(work, lasting)
            finally:
                self._leader = None
        with let_go(self._mutex):  # others need it to come to an end
            return self.run(work, lasting=lasting)

    def _between(self, work: Work[T], lasting: bool) -> T:
        """Run *work*, the turn being ours; a transaction that is open is undone, and its owner, who finds an empty one, does it again."""
        flushes, begun = self._flushes, self._in_transaction
        try:
            if begun:
                self._undone += 1
                self._undo()
            return self._alone(work, False, lasting)
        finally:
            self._on_rollback()  # whoever was interrupted may rely on what he knew of the file
            connection = self._ready(flushes)
            if begun:
                connection.execute("BEGIN")

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
                self._leader, self._kept = get_ident(), True
                return True
            if self._leader == get_ident():
                return False
            turn = Caller(lambda connection: None, lasting=False, alone=True)
            self._queue.append(turn)
        try:
            turn.latch.acquire(timeout=seconds)
        finally:
            with self._mutex:
                if turn in self._queue:
                    self._queue.remove(turn)
        self._kept = turn.leads
        return turn.leads

    def release(self) -> None:
        """Pass on the turn that was kept."""
        self._kept = False
        self._pass_on()

    def let_go(self) -> None:
        """Close the connection, which is opened again when it is needed; to be called by whoever holds the turn."""
        if self._connection is not None:
            sqlite.leave(self._connection)
            self._connection = None

    def begin_anew(self) -> None:
        """Forget the threads that waited, which do not exist here: in a child that was forked while this thread held the turn."""
        self._mutex = threading.RLock()
        self._leader, self._queue = None, []
        self._crowded = self._kept = False

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
        undone = self._undone
        try:
            connection = self._connection
            if connection is None or (lasting is not self._flushes and not self._all_last):
                connection = self._ready(lasting)
            if atomic:
                return work(connection)
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            self._commit(connection, undone)
            return result
        except BaseException as error:
            self._undo()
            if undone != self._undone and isinstance(error, (_Undone, sqlite.Error)):
                return self._alone(work, atomic, lasting)
            # only here, after a failure, as entering this block costs a tenth of an insert
            with sqlite.translated(self._path, "writing"):
                raise

    def _commit(self, connection: sqlite.Connection, undone: int) -> None:
        """Commit what was written since so many transactions were *undone*."""
        if undone == self._undone:
            connection.execute("COMMIT")
        if undone != self._undone:  # also just before the commit, which had nothing to commit then
            raise _Undone
        self._on_commit()

    def _undo(self) -> None:
        """Leave no transaction open, however far it got: what is written next would only seem to be on disk."""
        self._on_rollback()
        # SQLite may have ended it already, as on a full disk
        if self._connection is not None and self._in_transaction:
            self._connection.execute("ROLLBACK")

    @property
    def _in_transaction(self) -> bool:
        return self._connection is not None and self._connection.in_transaction

    def _ride(self, turn: Caller) -> Any:
        while not turn.latch.acquire(timeout=_PATIENCE):
            log.warning("waiting for %s to be written, for %g s by now", os.fspath(self._path), _PATIENCE)
        if turn.leads:
            group: list[Caller] = []
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

    def _together(self, group: list[Caller]) -> None:
        results: list[Any] = []
        committing, undone = False, self._undone
        try:
            connection = self._ready(any(turn.lasting for turn in group))
            connection.execute("BEGIN IMMEDIATE")
            for turn in group:
                results.append(turn.work(connection))
            committing = True
            self._commit(connection, undone)
        except BaseException as error:
            kept = committing and not self._in_transaction and undone == self._undone
            self._undo()
            if isinstance(error, Exception):
                self._apart(group)
                return
            if kept:  # Ctrl-C just after the commit: their rows are in the file
                self._serve(group, results)
            raise  # the others are served by the next turn
        self._serve(group, results)

    def _serve(self, group: list[Caller], results: list[Any]) -> None:
        self._crowded = len(group) > 1
        for turn, result in zip(group, results, strict=True):
            turn.result = result
            self._finish(turn)

    def _apart(self, group: list[Caller]) -> None:
        """One of a group failed: commit for each of them separately, so that the others do not suffer."""
        for turn in group:
            try:
                turn.result = self._alone(turn.work, False, turn.lasting)
            except Exception as error:
                turn.error = error
            self._finish(turn)

    @staticmethod
    def _finish(turn: Caller) -> None:
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
                self._lead(self._queue[0])
            else:
                self._leader = None

    def _lead(self, turn: Caller) -> None:
        turn.leads = True
        turn.wake()
        self._leader = turn.thread

    def closed_error(self) -> ClosedError | LoggerError:
        """Return the error to be raised once nothing can be written any more."""
        if not self.is_ours:
            return LoggerError(
                f"the cache file {os.fspath(self._path)!r} was being written to or read when this process was forked, for longer "
                "than a fork waits, and belongs to the parent process alone: open another Logger here, on a file of its own"
            )
        return ClosedError(f"the cache file {os.fspath(self._path)!r} was closed")
