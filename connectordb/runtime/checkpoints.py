"""Writing what SQLite's write-ahead log holds into its file."""

from __future__ import annotations

import apsw

from .sqlite import BUSY_TIMEOUT, Connection

#: Milliseconds that `empty` waits for others.
_MOMENT = 1000


def write_back(connection: Connection) -> None:
    """Write everything in the log into the file, and empty the log, unless somebody is reading."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def empty(connection: Connection) -> None:
    """Do the same, so that the log takes no space; but give up if somebody reads or writes for longer than a moment."""
    connection.set_busy_timeout(_MOMENT)
    try:
        write_back(connection)
    finally:
        connection.set_busy_timeout(BUSY_TIMEOUT)


def write_back_beside(connection: Connection) -> None:
    """
    Write the log into the file, as far as that is possible while others read and write.

    If all of it was written, the next commit begins the log anew.
    """
    for _ in range(2):  # a second time for what was committed meanwhile, which is little
        try:
            frames, written = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:  # somebody else is doing it now
            return
        if frames == written:
            return
