"""
The storage in a SQLite file: one thread that writes and some that read, each with a connection of its own.

The writer takes all writes that have come while it was busy, runs them as one transaction in which each can fail by itself, and
flushes once for all of them. A future has its result only after that flush.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Generic, NamedTuple, TypeVar, cast

from ...exceptions import StorageError, StorageFull
from ...runtime.clock import SYSTEM, Deadline
from ...runtime.layouts import migrate
from ...runtime.sqlite import Connection, connect, transaction, translated
from ...runtime.worker import Worker
from ..config import Storage as Settings
from .access import SQLiteReader, SQLiteWriter
from .contract import Outcome, Reader, Storage, Writer
from .copies import kept_before_migration
from .jobs import Job, Jobs
from .layout import LAYOUT, MIGRATIONS
from .log import Log
from .recent import Nowhere, Recent
from .watch import State, Watch

log = logging.getLogger(__name__)

T = TypeVar("T")
Given = TypeVar("Given")

_DEFAULTS = Settings()

#: Seconds that `SQLiteStorage.close` gives the threads to finish their work.
CLOSE_TIMEOUT = 30.0

#: The longest that an idle thread waits, in seconds. Nothing depends on it: no wait should be without an end.
_IDLE = 60.0


class SQLiteStorage(Storage):
    """
    Users, devices, streams and points in the file at *path*, which is made if it does not exist.

    Args:
        path: The file. While it is open, SQLite keeps two more beside it, with ``-wal`` and ``-shm`` added to the name.
        readers: How many threads read, at least one.
        group_size: The most writes that share a flush.
        group_time: Seconds after which no more writes join a flush, as the first of them is waiting.

    Raises:
        StorageError: The file cannot be opened, is not a database, or was made by a newer version.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        readers: int = _DEFAULTS.readers,
        group_size: int = _DEFAULTS.group_inserts,
        group_time: float = _DEFAULTS.group_seconds,
    ) -> None:
        if readers < 1:
            raise ValueError("a storage needs a thread that reads: without one, reads would wait for ever")
        self._path = os.fspath(path)
        self._writes: Jobs[Writer] = Jobs(f"the storage in {self._path!r}")
        self._reads: Jobs[Reader] = Jobs(f"the storage in {self._path!r}")
        self._watch = Watch()
        group = _Group(group_size, group_time, self._watch)
        self._recent = Recent()
        self._memory = SQLiteReader(cast(Connection, Nowhere()), self._recent)
        connections = self._connect(1 + readers)
        self._threads: list[_Thread[Writer] | _Thread[Reader]] = [
            _WriterThread("storage-writer", self._path, connections[0], self._recent, self._writes, group),
            *(
                _ReaderThread(f"storage-reader-{number}", self._path, connection, self._recent, self._reads)
                for number, connection in enumerate(connections[1:], 1)
            ),
        ]
        self._start()

    def _start(self) -> None:
        started = 0
        try:
            for thread in self._threads:
                thread.start()
                started += 1
        except BaseException:
            self._writes.close()
            self._reads.close()
            for thread in self._threads[started:]:
                thread.discard()
            raise

    def _connect(self, number: int) -> list[Connection]:
        connections: list[Connection] = []
        try:
            for _ in range(number):
                connections.append(connect(self._path))
            with translated(self._path, "opening"):
                migrate(
                    connections[0], self._path, MIGRATIONS, before=lambda layout: self._keep(connections[0], layout)
                )
                for connection in connections[1:]:
                    connection.execute("PRAGMA query_only = ON")
        except BaseException:
            for connection in connections:
                connection.close()
            raise
        return connections

    def _keep(self, connection: Connection, layout: int) -> None:
        copy = kept_before_migration(connection, self._path, layout)
        log.info("%s has an older layout, %s, and is brought to %s; as it was: %s", self._path, layout, LAYOUT, copy)

    def recall(self, work: Callable[[Reader], T]) -> T:
        """
        Run *work* at once, on this thread, with what was looked up before and is still valid.

        Raises:
            NotRecent: It asks for something else.
        """
        return work(self._memory)

    def read(self, work: Callable[[Reader], T]) -> Future[T]:
        """
        Run *work* on a thread that reads, on one consistent view of everything.

        Raises:
            ClosedError: The storage was closed.
        """
        return self._reads.put(work)

    def write(self, work: Callable[[Writer], T]) -> Future[T]:
        """
        Run *work* on the thread that writes, as a transaction. The future has a result after the commit.

        Raises:
            ClosedError: The storage was closed.
        """
        return self._writes.put(work)

    def give_read(self, work: Callable[[Reader], T], outcome: Outcome[T]) -> None:
        """
        Like `read`, but the result goes to *outcome*.

        Raises:
            ClosedError: The storage was closed.
        """
        self._reads.give(work, outcome)

    def give_write(self, work: Callable[[Writer], T], outcome: Outcome[T]) -> None:
        """
        Like `write`, but the result goes to *outcome*: those of all writes of a commit in their order, then one wake-up.

        Raises:
            ClosedError: The storage was closed.
        """
        self._writes.give(work, outcome)

    def state(self) -> State:
        """Return how the storage is doing. Does not wait for anything; may be called from any thread."""
        watch = self._watch
        return State(
            reads_waiting=len(self._reads),
            writes_waiting=len(self._writes),
            commits=watch.commits,
            writes=watch.writes,
            commit_seconds=watch.commit_seconds,
            full=watch.full,
            broken=self._writes.broken or self._reads.broken,
        )

    def close(self) -> None:
        """
        Finish the work that was handed in, then end the threads. May be called again.

        Raises:
            StorageError: The threads did not end in time.
        """
        self._writes.close()
        self._reads.close()
        self._recent.forget()
        deadline = Deadline(CLOSE_TIMEOUT)
        if not all([thread.join(deadline.left()) for thread in self._threads]):
            raise StorageError(f"closing {self._path!r}: work was still running after {CLOSE_TIMEOUT:g} seconds")


class _Thread(Generic[Given]):
    """A thread that does the jobs of a queue on a connection, which it closes in the end."""

    def __init__(self, name: str, path: str, connection: Connection, jobs: Jobs[Given]) -> None:
        self._path = path
        self._connection = connection
        self._jobs = jobs
        self._worker = Worker(name, self._run, on_crash=self._crashed)
        self.start = self._worker.start
        self.join = self._worker.join

    def discard(self) -> None:
        """Close the connection; done by the thread at its end, or by others if the thread is never started."""
        with translated(self._path, "closing"):
            self._connection.close()

    def _run(self, stopping: threading.Event) -> None:
        try:
            while not self._jobs.ended:
                job = self._jobs.take(_IDLE)
                if job is not None and job.begin():
                    self._do(job)
        finally:
            self.discard()

    def _do(self, job: Job[Given]) -> None:
        raise NotImplementedError

    def _crashed(self, error: BaseException) -> None:
        failure = StorageError(f"a thread of the storage in {self._path!r} ended by a bug; start the server again")
        failure.__cause__ = error
        self._jobs.abandon(failure)


class _ReaderThread(_Thread[Reader]):
    def __init__(self, name: str, path: str, connection: Connection, recent: Recent, jobs: Jobs[Reader]) -> None:
        super().__init__(name, path, connection, jobs)
        self._reader = SQLiteReader(connection, recent)

    def _do(self, job: Job[Reader]) -> None:
        try:
            with translated(self._path, "reading"):
                self._reader.begin()
                # a deferred transaction: its view is made by the first statement, and stays the same to the end
                self._connection.execute("BEGIN")
                try:
                    job.run(self._reader)
                finally:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
        except BaseException as error:
            job.keep(error)
        job.finish()()


class _Group(NamedTuple):
    """How many writes share a transaction, for how long they may join it, and what counts them."""

    size: int
    seconds: float
    watch: Watch


class _WriterThread(_Thread[Writer]):
    def __init__(
        self, name: str, path: str, connection: Connection, recent: Recent, jobs: Jobs[Writer], group: _Group
    ) -> None:
        super().__init__(name, path, connection, jobs)
        self._most, self._seconds, self._watch = group
        self._writer = SQLiteWriter(connection, recent)
        self._log = Log(connection, path)

    def _do(self, job: Job[Writer]) -> None:
        """Run *job* and those that wait behind it as one transaction."""
        group: list[Job[Writer]] = []
        begin, committed = SYSTEM.monotonic(), False
        self._writer.begin()
        try:
            with translated(self._path, "writing"), transaction(self._connection):
                for member in self._gathered(job):
                    group.append(member)
                    self._run_alone(member)
                self._writer.flush()
            committed = True
            self._watch.committed(len(group), SYSTEM.monotonic() - begin)
        except BaseException as error:
            if isinstance(error, StorageFull):
                self._watch.found_full()
            # nothing is stored: the commit failed, or an error ended the transaction; jobs that failed before keep their own error
            for member in group or [job]:
                if not member.failed:
                    member.keep(error)
        # before anybody is told, so that whoever asks afterwards does not get what was in memory before
        self._writer.end(committed=committed)
        # each wake-up costs a system call and switches to another thread, so there is one for all jobs that share it
        for wake in {member.finish() for member in group or [job]}:
            wake()
        self._log.shorten()

    def _gathered(self, job: Job[Writer]) -> Iterator[Job[Writer]]:
        """Yield *job* and those that have come since, until there are no more, or enough, or time is up."""
        deadline = Deadline(self._seconds)
        yield job
        for _ in range(self._most - 1):
            more = None if deadline.passed() else self._jobs.take(0)
            if more is None:
                return
            if more.begin():
                yield more

    def _run_alone(self, job: Job[Writer]) -> None:
        """Run a job in such a way that it can fail without the others."""
        try:
            job.run(self._writer)
            self._writer.finish(lambda error: self._could_not(job, error))
        except BaseException as error:
            if not self._connection.in_transaction:
                raise  # something like a full disk has ended the whole transaction, so all jobs in it fail
            self._writer.undo()
            self._could_not(job, error)

    def _could_not(self, job: Job[Writer], error: BaseException) -> None:
        """Let a job fail, with SQLite's error translated; also one that had run, but whose points could not be written."""
        try:
            with translated(self._path, "writing"):
                raise error
        except BaseException as failure:
            job.keep(failure)
