"""Writing what SQLite's write-ahead log holds into its file."""

from __future__ import annotations

import apsw

from .sqlite import BUSY_TIMEOUT, Connection

#: Milliseconds.
_MOMENT = 1000


def write_back(connection: Connection) -> None:
    """Write all that the log has into the file, and empty the log, as far as nobody reads meanwhile."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def empty(connection: Connection) -> None:
    """As `write_back`, so that the log takes no space; if somebody reads or writes for longer than a moment, it is left."""
    connection.set_busy_timeout(_MOMENT)
    try:
        write_back(connection)
    finally:
        connection.set_busy_timeout(BUSY_TIMEOUT)


def write_back_beside(connection: Connection) -> None:
    """Write the log into the file, as far as that goes while others read and write; once all of it is, the next commit begins it anew."""
    for _ in range(2):  # what was committed meanwhile is little
        try:
            frames, written = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:  # somebody else does it just now
            return
        if frames == written:
            return
