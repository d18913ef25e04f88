"""
The storage in a SQLite file: one thread that writes, some that read, each with a connection of its own.

The writer takes what has gathered while it was busy, runs it as one transaction with a savepoint around each, and flushes
once for all. A future has its result only after that flush.
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

#: Seconds that `SQLiteStorage.close` gives each thread to finish what was handed in.
CLOSE_TIMEOUT = 30.0

#: Seconds after which an idle thread looks up; nothing depends on it.
_IDLE = 60.0


class SQLiteStorage(Storage):
    """
    Users, devices, streams and points in the file at *path*, which is made if it is not there.

    Args:
        path: The file. Beside it SQLite keeps two more while it is open, with ``-wal`` and ``-shm`` added to the name.
        readers: How many threads read, one at least.
        group_size: Writes that share a flush at most.
        group_time: Seconds after which a flush takes in no more: the first of them is waiting.

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
        Run *work* at once, on this thread, with what was looked up a while ago and is still so.

        Raises:
            NotRecent: It asks for something else.
        """
        return work(self._memory)

    def read(self, work: Callable[[Reader], T]) -> Future[T]:
        """
        Run *work* on a reader's thread, on one consistent view of everything.

        Raises:
            ClosedError: The storage was closed.
        """
        return self._reads.put(work)

    def write(self, work: Callable[[Writer], T]) -> Future[T]:
        """
        Run *work* on the writer's thread, as one transaction; the future is done after the commit.

        Raises:
            ClosedError: The storage was closed.
        """
        return self._writes.put(work)

    def give_read(self, work: Callable[[Reader], T], outcome: Outcome[T]) -> None:
        """
        Do the same as `read`, with somebody else told what comes of it.

        Raises:
            ClosedError: The storage was closed.
        """
        self._reads.give(work, outcome)

    def give_write(self, work: Callable[[Writer], T], outcome: Outcome[T]) -> None:
        """
        Do the same as `write`, with somebody else told what comes of it: of all that share a commit, in its order, then woken.

        Raises:
            ClosedError: The storage was closed.
        """
        self._writes.give(work, outcome)

    def state(self) -> State:
        """Return how it is; at once, from any thread."""
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
        Finish what was handed in, then end the threads; may be called again.

        Raises:
            StorageError: They did not end in time.
        """
        self._writes.close()
        self._reads.close()
        self._recent.forget()
        deadline = Deadline(CLOSE_TIMEOUT)
        if not all([thread.join(deadline.left()) for thread in self._threads]):
            raise StorageError(f"closing {self._path!r}: work was still running after {CLOSE_TIMEOUT:g} seconds")


class _Thread(Generic[Given]):
    """A worker that does the jobs of a queue with a connection, which it closes in the end."""

    def __init__(self, name: str, path: str, connection: Connection, jobs: Jobs[Given]) -> None:
        self._path = path
        self._connection = connection
        self._jobs = jobs
        self._worker = Worker(name, self._run, on_crash=self._crashed)
        self.start = self._worker.start
        self.join = self._worker.join

    def discard(self) -> None:
        """Close the connection: by the thread at its end, or instead of starting it."""
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
                # deferred: the view is that of the first statement, and holds until the end
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
    """How writes are put together, and who counts them."""

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
            # none of it is stored: the commit failed, or an error ended the transaction; whoever has an error of his own
            # keeps it
            for member in group or [job]:
                if not member.failed:
                    member.keep(error)
        # before anybody is told: what he asks for then is as he knows it
        self._writer.end(committed=committed)
        # each wake-up costs a call to the system, and hands the interpreter to another thread: one for all of them
        for wake in {member.finish() for member in group or [job]}:
            wake()
        self._log.shorten()

    def _gathered(self, job: Job[Writer]) -> Iterator[Job[Writer]]:
        """Go through *job* and what has come since, while there is something and there is time."""
        deadline = Deadline(self._seconds)
        yield job
        for _ in range(self._most - 1):
            more = None if deadline.passed() else self._jobs.take(0)
            if more is None:
                return
            if more.begin():
                yield more

    def _run_alone(self, job: Job[Writer]) -> None:
        """Run a job so that it can fail without the others."""
        try:
            job.run(self._writer)
            self._writer.finish(lambda error: self._could_not(job, error))
        except BaseException as error:
            if not self._connection.in_transaction:
                raise  # a full disk, say, has ended the whole transaction, and with it the others
            self._writer.undo()
            self._could_not(job, error)

    def _could_not(self, job: Job[Writer], error: BaseException) -> None:
        """Have a job fail, with what SQLite says in our words; also one whose points could not be written after all."""
        try:
            with translated(self._path, "writing"):
                raise error
        except BaseException as failure:
            job.keep(failure)
