"""
SQLite: opening a file the way we want it, transactions, migrations, and errors in our own words.

The only module that imports apsw. A connection belongs to one thread at a time (apsw's "Multi-threading": simultaneous
use raises); who that is, is the caller's business. Pragmas and their reasons are in `connect`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from ..exceptions import StorageError, StorageFull

Connection = apsw.Connection

#: Milliseconds to wait for another process's transaction.
BUSY_TIMEOUT = 10_000

#: Bytes to which the write-ahead log is cut back once it has been written into the file.
_LOG_SIZE = 4 * 1024 * 1024

#: A change of the file's layout: whatever it does happens in the transaction that notes it as done.
Migration = Callable[[Connection], None]


@contextmanager
def translated(path: str | os.PathLike[str], doing: str) -> Iterator[None]:
    """
    Turn apsw's errors into ours, which say what was tried, on which file, and what to do.

    Raises:
        StorageFull: There is no space.
        StorageError: Anything else.
    """
    try:
        yield
    except apsw.FullError as error:
        raise StorageFull(f"{doing} {os.fspath(path)!r}: the disk is full; free some space and go on") from error
    except apsw.NotADBError as error:
        raise StorageError(
            f"{doing} {os.fspath(path)!r}: this is no SQLite file; give another path, or move it"
        ) from error
    except apsw.CorruptError as error:
        raise StorageError(f"{doing} {os.fspath(path)!r}: the file is damaged ({error})") from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise StorageError(f"{doing} {os.fspath(path)!r}: {error}; is it a file that may be written?") from error
    except apsw.Error as error:
        raise StorageError(f"{doing} {os.fspath(path)!r}: {error}") from error


def connect(path: str | os.PathLike[str], *, private: bool = True) -> Connection:
    """
    Open the file, making it if it is not there, ready for durable use.

    Args:
        path: Where it is.
        private: Make a new file readable by its owner only; our files hold keys.

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
            _configure(connection)
        except BaseException:
            connection.close()
            raise
        return connection


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
    connection.set_busy_timeout(BUSY_TIMEOUT)
    # WAL: one flush per commit, readers and the writer do not wait for each other. FULL: that flush is made, so that what
    # was committed survives a power cut. Both are read back by the tests, as SQLite does not complain when it refuses.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_SIZE}")


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


def version(connection: Connection) -> int:
    """Return how many migrations the file has seen."""
    return int(connection.pragma("user_version"))


def migrate(connection: Connection, path: str | os.PathLike[str], migrations: Sequence[Migration]) -> None:
    """
    Bring the file to the newest layout, a transaction a step.

    Raises:
        StorageError: The file is newer than this program.
    """
    known = len(migrations)
    if version(connection) > known:
        raise StorageError(
            f"opening {os.fspath(path)!r}: a newer version of connectordb made this file (layout "
            f"{version(connection)}, this one knows {known}); install that version"
        )
    for number in range(version(connection), known):
        with transaction(connection):
            if version(connection) == number:  # another process may have been faster
                migrations[number](connection)
                connection.pragma("user_version", number + 1)
