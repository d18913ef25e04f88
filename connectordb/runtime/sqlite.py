"""
SQLite: opening a file the way we want it, transactions, and errors in our own words.

Only this module and ``checkpoints.py`` import apsw. A connection belongs to one thread at a time (apsw's "Multi-threading": simultaneous
use raises); the caller has to see to that. The pragmas and their reasons are in `_configure`.
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

Error = apsw.Error

#: Milliseconds to wait for another process's transaction.
BUSY_TIMEOUT = 10_000

#: Bytes to which the write-ahead log is cut back once it has been written into the file.
_LOG_SIZE = 4 * 1024 * 1024

#: How many pages of 4096 bytes are copied at once, which takes some milliseconds.
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
        # the log's index, in shared memory, cannot grow: only a full disk causes that, though SQLite does not say so
        if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE:
            raise StorageFull(f"{doing} {os.fspath(path)!r}: the disk is full; free some space and go on") from error
        # a sector that the disk can no longer read; or a format number that no version of SQLite has ever written
        if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_READ or "unsupported file format" in str(error):
            raise StorageDamaged(f"{doing} {os.fspath(path)!r}: the file is damaged ({error})") from error
        raise StorageError(f"{doing} {os.fspath(path)!r}: {error}") from error


def connect(path: str | os.PathLike[str], *, private: bool = True, only_look: bool = False) -> Connection:
    """
    Open the file for durable use; it is created if it does not exist.

    Args:
        path: Where it is.
        private: Let only the owner read a new file; our files hold keys.
        only_look: Change neither the file nor its log until `take_on` is called.

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
    Open an existing file only for reading.

    Another process may write to it meanwhile: a transaction sees everything as it was at the transaction's beginning. What a killed
    process has left in the log is seen as well.

    Raises:
        StorageError: It does not exist, is unreadable, or not SQLite.
    """
    with translated(path, "opening"):
        if not Path(path).is_file():
            raise StorageError(f"opening {os.fspath(path)!r}: there is no such file")
        connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(BUSY_TIMEOUT)
        return connection


def take_on(connection: Connection) -> None:
    """Use a connection, from now on, as if it had been opened without *only_look*."""
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    _configure(connection)


def logged_frames(connection: Connection) -> int:
    """Return how many frames of the log SQLite uses: all that open connections have written, or else those before the first damage."""
    # before SQLite 3.51 there is no way to ask without writing some of it into the file
    mode = getattr(apsw, "SQLITE_CHECKPOINT_NOOP", apsw.SQLITE_CHECKPOINT_PASSIVE)
    frames, _ = connection.wal_checkpoint(mode=mode)
    return frames


def can_write(connection: Connection) -> bool:
    """Tell whether the file may be written, as far as that is known without trying."""
    return not connection.readonly("main")


def attach(connection: Connection, path: str | os.PathLike[str], name: str) -> None:
    """
    Attach another file, which exists, to *connection*; its tables are then called *name*.table.

    Raises:
        StorageDamaged: It is not a SQLite file, or damaged.
        StorageError: Anything else.
    """
    with translated(path, "opening"):
        connection.execute("ATTACH ? AS " + name, (os.fspath(path),))


def is_attached(connection: Connection, name: str) -> bool:
    """Tell whether a file is attached as *name*."""
    return any(known == name for _, known, _ in connection.execute("PRAGMA database_list"))


class InUse(StorageError):
    """Somebody has the file open."""


@contextmanager
def alone(path: str | os.PathLike[str], within: float) -> Iterator[None]:
    """
    Lock the file at *path*, whatever is in it, for the length of a block: nobody has it open, and nobody can open it.

    Raises:
        InUse: Somebody in this process or another still has it open after *within* seconds.
        StorageError: It cannot be opened.
    """
    with translated(path, "locking"):
        flags = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READWRITE
        # through SQLite's own file layer: a lock taken without it would be gone as soon as any thread here closed the file
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
    """Let everything that a block reads be as of one moment, whoever writes meanwhile."""
    if connection.in_transaction:  # a signal handler looks in the middle of a look: that one's moment will do
        yield
        return
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
    Copy what *source* holds at this moment into the new or empty file at *path*, which needs no other file (no log) beside it.

    This goes in small steps with pauses between them, and nobody who writes to *source*'s file meanwhile has to wait for it. Nothing is
    flushed; the caller has to do that.

    Args:
        source: What to copy; it must not be in a transaction.
        path: The new file.
        progress: Called with how many pages are done, and how many there are.

    Raises:
        StorageFull: There is no space.
        StorageError: *source* is damaged, or the file cannot be written.
    """
    pause = threading.Event()
    with translated(path, "copying to"):
        target = apsw.Connection(os.fspath(path))
        try:
            target.pragma("synchronous", "OFF")
            # one view for all steps: without it, every change of the source would start the copying from the beginning
            with view(source):
                # if *source* is no database, the error names it, and not the new file
                with translated(source.filename, "copying"):
                    source.execute("SELECT count(*) FROM sqlite_master").fetchall()
                with target.backup("main", source, "main") as backup:
                    while not backup.done:
                        began = SYSTEM.monotonic()
                        backup.step(_COPIED_PAGES)
                        if progress is not None:
                            progress(backup.page_count - backup.remaining, backup.page_count)
                        # leave the disk to others for a third of the time
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
    # WAL: one flush per commit, and readers and the writer do not wait for each other. FULL: the flush is really made, so
    # that a commit survives a power cut. The tests read both back, as SQLite does not say so when it refuses.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_SIZE}")


def flush_commits(connection: Connection, each: bool) -> None:
    """
    Flush *each* commit from now on, and with the first one all commits before it; or leave flushing to the checkpoints.

    Killing a process loses nothing either way. A power cut loses what was not flushed: the newest commits, and no others.
    """
    # not cached: this pragma acts while it is being prepared, so a prepared statement would do nothing
    connection.execute(f"PRAGMA synchronous = {'FULL' if each else 'NORMAL'}", can_cache=False)


def flush_log(path: str | os.PathLike[str]) -> None:
    """
    Flush the write-ahead log of the file at *path*: everything committed so far survives a power cut.

    Commits that others make meanwhile, on any connection, do not wait for this.

    Raises:
        StorageError: The disk failed.
    """
    # opening and closing the log through SQLite's file layer takes no lock away, as SQLite has none on the log itself
    log = f"{os.fspath(path)}-wal"
    with translated(path, "flushing"):
        try:
            file = apsw.VFSFile("", log, [apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_READWRITE, 0])
        except apsw.CantOpenError:
            if os.path.exists(log):
                raise
            return  # everything is in the file itself, and flushed
        try:
            file.xSync(apsw.SQLITE_SYNC_NORMAL)
        finally:
            file.xClose()


def leave(connection: Connection) -> None:
    """Close a connection at once, without writing the log back into the file, or flushing it."""
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.close()


def first(connection: Connection, query: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
    """
    Return the first row of *query*, if there is one.

    The statement is closed: one that has not come to its end may keep its view of the file, and then writing fails once another
    process has written.
    """
    with closing(connection.execute(query, values)) as rows:
        return rows.fetchone()


def first_within(connection: Connection, size: int, query: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    """
    Return the same as `first`; but ``None`` if that needs a text longer than *size* bytes, which is then not made.

    Texts up to 64 KiB are never refused, as SQLite reads the tables' definitions under the same limit.
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
    Run a block as one transaction: all of it takes effect, durably, or none of it.

    It takes the write lock at its beginning. Otherwise, a transaction that first reads and then wants to write would be refused at
    once, whatever the busy timeout, if another process wrote in between.
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
