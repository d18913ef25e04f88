"""
SQLite: opening a file the way we want it, transactions, and errors in our own words.

With ``checkpoints.py`` the only module that imports apsw. A connection belongs to one thread at a time (apsw's "Multi-threading": simultaneous
use raises); who that is, is the caller's business. Pragmas and their reasons are in `connect`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import apsw

from ..exceptions import StorageDamaged, StorageError, StorageFull
from .clock import SYSTEM, Deadline

Connection = apsw.Connection

#: Milliseconds to wait for another process's transaction.
BUSY_TIMEOUT = 10_000

#: Bytes to which the write-ahead log is cut back once it has been written into the file.
_LOG_SIZE = 4 * 1024 * 1024

#: Pages of 4096 bytes that are copied at once: some milliseconds.
_COPIED_PAGES = 256


@contextmanager
def translated(path: str | os.PathLike[str], doing: str) -> Iterator[None]:
    """
    Turn apsw's errors into ours, which say what was tried, on which file, and what to do.

    Raises:
        StorageFull: There is no space.
        StorageDamaged: What is in the file is not what was written.
        StorageError: Anything else.
    """
    try:
        yield
    except apsw.FullError as error:
        raise StorageFull(f"{doing} {os.fspath(path)!r}: the disk is full; free some space and go on") from error
    except apsw.NotADBError as error:
        raise StorageDamaged(
            f"{doing} {os.fspath(path)!r}: this is no SQLite file; give another path, or move it"
        ) from error
    except apsw.CorruptError as error:
        raise StorageDamaged(f"{doing} {os.fspath(path)!r}: the file is damaged ({error})") from error
    except UnicodeDecodeError as error:
        raise StorageDamaged(f"{doing} {os.fspath(path)!r}: the file is damaged (text in it is no UTF-8)") from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise StorageError(f"{doing} {os.fspath(path)!r}: {error}; is it a file that may be written?") from error
    except apsw.Error as error:
        # the index of the log, in shared memory, cannot grow: nothing but a full disk does that, though SQLite has no word for it
        if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE:
            raise StorageFull(f"{doing} {os.fspath(path)!r}: the disk is full; free some space and go on") from error
        # a sector that the disk cannot read any more; a number of the format that no version of SQLite ever wrote
        if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_READ or "unsupported file format" in str(error):
            raise StorageDamaged(f"{doing} {os.fspath(path)!r}: the file is damaged ({error})") from error
        raise StorageError(f"{doing} {os.fspath(path)!r}: {error}") from error


def connect(path: str | os.PathLike[str], *, private: bool = True, only_look: bool = False) -> Connection:
    """
    Open the file, making it if it is not there, ready for durable use.

    Args:
        path: Where it is.
        private: Make a new file readable by its owner only; our files hold keys.
        only_look: Change nothing, neither the file nor its log, until `take_on`.

    Raises:
        StorageError: It is a directory, unreadable, or not SQLite.
    """
    with translated(path, "opening"):
        if Path(path).is_dir():
            raise StorageError(f"opening {os.fspath(path)!r}: this is a directory; give the path of a file")
        if private:
            _make_private(path)
        connection = apsw.Connection(os.fspath(path))
        try:
            connection.set_busy_timeout(BUSY_TIMEOUT)
            if only_look:
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            else:
                _configure(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def connect_to_read(path: str | os.PathLike[str]) -> Connection:
    """
    Open a file that is there, to read it and nothing else.

    This is sound beside a process that writes: a transaction sees everything as it was at its beginning. What a process that
    was killed left in the log is seen too.

    Raises:
        StorageError: It is not there, unreadable, or not SQLite.
    """
    with translated(path, "opening"):
        if not Path(path).is_file():
            raise StorageError(f"opening {os.fspath(path)!r}: there is no such file")
        connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(BUSY_TIMEOUT)
        return connection


def take_on(connection: Connection) -> None:
    """Go on as if it had been opened for more than a look."""
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    _configure(connection)


def logged_frames(connection: Connection) -> int:
    """Return how many frames of the log SQLite takes: all those that other connections have written, or else up to the first damage."""
    # before 3.51 there is no way to ask without writing some of it into the file
    mode = getattr(apsw, "SQLITE_CHECKPOINT_NOOP", apsw.SQLITE_CHECKPOINT_PASSIVE)
    frames, _ = connection.wal_checkpoint(mode=mode)
    return frames


def can_write(connection: Connection) -> bool:
    """Tell whether the file may be written, as far as is known before it is tried."""
    return not connection.readonly("main")


def attach(connection: Connection, path: str | os.PathLike[str], name: str) -> None:
    """
    Have the tables of another file, which is there, beside those of *connection*'s own, below *name*.

    Raises:
        StorageDamaged: It is no SQLite file, or damaged.
        StorageError: Anything else.
    """
    with translated(path, "opening"):
        connection.execute("ATTACH ? AS " + name, (os.fspath(path),))


def is_attached(connection: Connection, name: str) -> bool:
    """Tell whether a file is attached below *name*."""
    return any(known == name for _, known, _ in connection.execute("PRAGMA database_list"))


class InUse(StorageError):
    """Somebody has the file open."""


@contextmanager
def alone(path: str | os.PathLike[str], within: float) -> Iterator[None]:
    """
    Have the file at *path* to oneself for the length of a block, whatever is in it: nobody can open it, or has it open.

    Raises:
        InUse: Somebody in this process or another still has it open after *within* seconds.
        StorageError: It cannot be opened.
    """
    with translated(path, "locking"):
        flags = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READWRITE
        # by SQLite's own means: a lock of ours would be gone as soon as anybody here closed the file
        file = apsw.VFSFile("", os.path.abspath(path), [flags, 0])
        try:
            deadline, pause = Deadline(within), threading.Event()
            while not _locked(file):
                if deadline.passed():
                    raise InUse(f"locking {os.fspath(path)!r}: it is open elsewhere; close it there first")
                pause.wait(0.02)
            yield
        finally:
            file.xUnlock(apsw.SQLITE_LOCK_NONE)
            file.xClose()


def _locked(file: apsw.VFSFile) -> bool:
    try:
        file.xLock(apsw.SQLITE_LOCK_SHARED)
        file.xLock(apsw.SQLITE_LOCK_EXCLUSIVE)
        return True
    except apsw.BusyError:
        file.xUnlock(apsw.SQLITE_LOCK_NONE)
        return False


@contextmanager
def view(connection: Connection) -> Iterator[None]:
    """Have what a block reads be of one moment, whoever writes meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def copy(
    source: Connection, path: str | os.PathLike[str], progress: Callable[[int, int], object] | None = None
) -> None:
    """
    Write all that *source* holds at this moment into the empty or new file at *path*, as a file that needs no others.

    It goes in small steps with pauses between, and whoever writes to *source*'s file meanwhile does not wait for it. Nothing is
    flushed: that is the caller's business.

    Args:
        source: Where from; in no transaction.
        path: Where to.
        progress: Called with the pages that are done, and how many there are.

    Raises:
        StorageFull: There is no space.
        StorageError: *source* is damaged, or the file cannot be written.
    """
    pause = threading.Event()
    with translated(path, "copying to"):
        target = apsw.Connection(os.fspath(path))
        try:
            target.pragma("synchronous", "OFF")
            # one view for all steps: without it, every change of the source would make the copying begin anew
            with view(source):
                with translated(source.filename, "copying"):  # what is no database at all is told here, by its own name
                    source.execute("SELECT count(*) FROM sqlite_master").fetchall()
                with target.backup("main", source, "main") as backup:
                    while not backup.done:
                        began = SYSTEM.monotonic()
                        backup.step(_COPIED_PAGES)
                        if progress is not None:
                            progress(backup.page_count - backup.remaining, backup.page_count)
                        # leaves the disk to others for a third of the time
                        pause.wait((SYSTEM.monotonic() - began) / 2)
            target.pragma("journal_mode", "DELETE")
        finally:
            target.close()


def _make_private(path: str | os.PathLike[str]) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StorageError(
            f"opening {os.fspath(path)!r}: {error.strerror}; give a path where a file can be made"
        ) from error


def _configure(connection: Connection) -> None:
    # WAL: one flush per commit, readers and the writer do not wait for each other. FULL: that flush is made, so that what
    # was committed survives a power cut. Both are read back by the tests, as SQLite does not complain when it refuses.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_SIZE}")


def flush_commits(connection: Connection, each: bool) -> None:
    """
    Have *each* commit flushed from now on, and with the first all that was committed before; or leave it to the checkpoints.

    Killing a process loses nothing either way, a power cut what was not flushed: the newest commits, never older ones alone.
    """
    # this pragma acts while it is prepared: a statement that was prepared already would do nothing
    connection.execute(f"PRAGMA synchronous = {'FULL' if each else 'NORMAL'}", can_cache=False)


def flush_log(path: str | os.PathLike[str]) -> None:
    """
    Flush the write-ahead log of the file at *path*: what was committed by now outlasts a power cut.

    Whoever commits meanwhile, by whatever connection, does not wait for it.

    Raises:
        StorageError: The disk failed.
    """
    # SQLite keeps its locks elsewhere: opening and closing the log as well, by its own file layer, takes none away
    log = f"{os.fspath(path)}-wal"
    with translated(path, "flushing"):
        try:
            file = apsw.VFSFile("", log, [apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_READWRITE, 0])
        except apsw.CantOpenError:
            if os.path.exists(log):
                raise
            return  # it is in the file itself, and flushed
        try:
            file.xSync(apsw.SQLITE_SYNC_NORMAL)
        finally:
            file.xClose()


def leave(connection: Connection) -> None:
    """Close a connection at once: what is in the log is not written into the file, nor flushed."""
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.close()


def first(connection: Connection, query: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
    """
    Return the first row that *query* has, if it has one.

    The statement is closed then: one that is not at its end may keep the view of the file that it began with, and writing fails
    once another process wrote.
    """
    with closing(connection.execute(query, values)) as rows:
        return rows.fetchone()


def first_within(connection: Connection, size: int, query: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    """
    Return what `first` does, or ``None`` if that takes a text longer than *size* bytes, which is not made then.

    Texts of 64 KiB are never refused: the tables' definitions are among them.
    """
    before = connection.limit(apsw.SQLITE_LIMIT_LENGTH, min(max(size, 65536), 2**31 - 1))
    try:
        return first(connection, query, values)
    except apsw.TooBigError:
        return None
    finally:
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, before)


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """
    Run a block as one transaction: all of it, durably, or nothing of it.

    It takes the write lock at its beginning: a transaction that first reads and then wants to write is refused at once,
    busy timeout or not, if another process wrote between.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # a full disk may have ended it already
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
