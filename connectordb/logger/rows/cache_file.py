"""An open cache file: who may write to it and read from it, and when. What is written is decided elsewhere."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal, TypeVar, get_args

from ...exceptions import ClosedError, LocalProtocolError, StorageDamaged, StorageError, StorageFull
from ...runtime import checkpoints, sqlite
from ...runtime.clock import Deadline
from ..care import mending
from ..file import FORKS, Changes, Commits, Flushing, is_ours, upgrade
from .reserve import Reserve
from .tails import Tails

log = logging.getLogger(__name__)

T = TypeVar("T")

#: What a power cut may take of what was inserted: nothing; the last second; everything since SQLite last flushed of its own accord.
Durability = Literal["full", "batched", "normal"]


class CacheFile:
    """
    A cache file's two connections: one that writes, for one thread at a time, and one that reads.

    Any number of threads may use it, and a process may fork. Other processes may write to the same file at any time.

    Args:
        path: Where it is.
        durability: What a power cut may take of inserts. Everything else that is written survives it in any case.

    Attributes:
        tails: Where the rows of each stream end; only to be used by whoever has the turn to write.
        changes: Wakes whoever waits for something to be written, inserts excepted.
        reserve: What is left of the disk.

    Raises:
        LocalProtocolError: *durability* is none of these.
        StorageError: As `mending.open_file`.
    """

    def __init__(self, path: str | os.PathLike[str], durability: Durability = "full") -> None:
        if durability not in get_args(Durability):
            raise LocalProtocolError(f"durability={durability!r}: expected one of {', '.join(get_args(Durability))}")
        self.path = os.path.abspath(path)
        self.tails = Tails()
        self.reserve = Reserve(self.path, self._sizes, partial(self._write_log_back, checkpoints.empty))
        self.changes = Changes()
        self._rollbacks: list[Callable[[], object]] = [self.tails.forget]
        self._was_opened = False
        self._commits = Commits(path, self._connect, self.tails.committed, self._rolled_back, durability == "full")
        self._durability = durability
        self._flushing = Flushing(partial(sqlite.flush_log, self.path))  # only used if the durability is "batched"
        # guards the three below, for as long as a statement runs; a signal handler may read while its own thread does
        self._reading = threading.RLock()
        self._reader: sqlite.Connection | None = None
        self._closed = False
        self._held = False  # whether both connections are held, around a fork
        FORKS.tell(self)  # before opening, so that a fork waits until it is open
        is_noted = self._commits.run(
            lambda connection: connection.execute(upgrade.IS_UNFLUSHED).fetchall(), atomic=True
        )
        if durability != "full" and not is_noted:  # to be noted before the first commit that is not flushed
            self.write(lambda connection: connection.execute(upgrade.UNFLUSHED))

    def _connect(self) -> sqlite.Connection:
        # opened again, as after a fork, the file need not be checked for damage once more
        connection = upgrade.open_file(self.path) if self._was_opened else mending.open_file(self.path)
        self._was_opened = True
        return connection

    @property
    def is_ours(self) -> bool:
        """Whether this process may use the file; a forked child may not if the file was busy for too long before the fork."""
        return self._commits.is_ours

    @property
    def is_amid(self) -> bool:
        """Whether this thread is in the middle of using it: then a signal handler asks, and nobody else goes on before that returns."""
        return is_ours(self._reading) or self._commits.is_amid(threading.get_ident())

    def close(self) -> None:
        """Finish what is queued and close the file; may be called twice."""
        if not self._closed and self.tails.counts:
            try:
                self._commits.run(self.tails.save)
            except (StorageError, ClosedError) as error:  # only figures are lost, and no points
                log.warning("how many points were moved by the smallest step is not saved: %s", error)
        self._commits.close()
        if self.is_ours:
            self._flushing.close()
        with self._reading:
            self._closed = True
            if self._reader is not None:
                self._reader.close()
                self._reader = None
        self.changes.tell()

    def on_rollback(self, tell: Callable[[], object]) -> None:
        """Call *tell*, on the thread that has the turn to write, whenever something that was written is undone."""
        self._rollbacks.append(tell)

    def _rolled_back(self) -> None:
        for tell in self._rollbacks:
            tell()

    def write(self, work: Callable[[sqlite.Connection], T], *, atomic: bool = False, lasting: bool = True) -> T:
        """
        Run *work*, which writes, and return its result once everything that it wrote is in the file; if it fails, nothing is.

        Args:
            work: May be run again, if other work in the same transaction failed.
            atomic: *work* needs no transaction around it, as it is a single statement, say. That is faster.
            lasting: This, and everything written before, survives a power cut; otherwise, the durability says what does.

        Raises:
            StorageError: As `Commits.run`.
        """
        try:
            try:
                result = self._commits.run(work, atomic=atomic, lasting=lasting)
            except StorageFull:
                self.write_log_back()  # if that needs no space, the log then begins anew, and there is room in it
                result = self._commits.run(work, atomic=atomic, lasting=lasting)
        except StorageDamaged:
            mending.suspect(self.path)
            raise
        if lasting:
            self.changes.tell()
            self._commits.let_others()
        elif self._durability == "batched":
            self._flushing.note()
        return result

    @property
    def queued(self) -> int:
        """How many writes of this process have had to wait for another write."""
        return self._commits.queued

    def flush(self) -> None:
        """Flush: everything inserted so far survives a power cut."""
        if self._durability == "batched":
            self._flushing.now()
        elif self._durability == "normal":
            sqlite.flush_log(self.path)

    def write_log_back(self) -> None:
        """Write what the log holds into the file, on the reading connection, so that no commit has to do it, and no insert waits."""
        self._write_log_back(checkpoints.write_back_beside)

    def _write_log_back(self, write: Callable[[sqlite.Connection], object]) -> None:
        try:
            with self.reading() as connection:
                write(connection)
        except StorageError as error:  # a later commit does it; if that cannot write either, its caller is told
            log.debug("the log of %s is not written back now: %s", self.path, error)

    def _sizes(self) -> tuple[int, int]:
        """Return how many bytes the file will have once its log is written back, and how many of these are in free pages."""
        with self.reading() as connection:
            query = "SELECT page_count * page_size, freelist_count * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
            ((whole, free),) = connection.execute(query)
            return whole, free

    @contextmanager
    def reading(self) -> Iterator[sqlite.Connection]:
        """Lend the reading connection for the length of a block."""
        try:
            with self._reading, sqlite.translated(self.path, "reading"):
                if self._closed or not self.is_ours:
                    raise self._commits.closed_error()
                if self._reader is None:
                    self._reader = sqlite.connect(self.path)
                yield self._reader
        except StorageDamaged:
            mending.suspect(self.path)
            raise

    # --- around a fork ------------------------------------------------------------------------------------------------

    def before_fork(self, deadline: Deadline) -> None:
        """Close both connections, if they become free before *deadline*, and let nobody open them."""
        if not self._commits.hold(deadline.left() or 0.0):
            return
        if is_ours(self._reading) or not self._reading.acquire(timeout=deadline.left() or 0.0):
            self._commits.release()
            return
        self._held = True
        self._commits.let_go()
        if self._reader is not None:
            sqlite.leave(self._reader)
            self._reader = None

    def after_fork_in_parent(self) -> None:
        """Let threads that waited go on."""
        if self._held:
            self._held = False
            self._reading.release()
            self._commits.release()

    def after_fork_in_child(self) -> None:
        """Begin anew; a file that was not free before the fork belongs to the parent."""
        held, self._held = self._held, False
        self._reading = threading.RLock()
        self._rolled_back()
        self.changes.after_fork_in_child()
        self._flushing.after_fork_in_child()
        if held:
            self._commits.begin_anew()
        else:
            self._commits.disown(self._reader)
            self._reader = None
