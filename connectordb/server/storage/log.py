"""
SQLite's write-ahead log, kept short.

By itself SQLite copies the log back into the file, and starts it again from the beginning when no reader needs what is in it. If
the views of readers overlap all the time, that moment never comes, and the log grows for as long as they go on. So when it has
become long, the writer waits for the present views to end; views that begin meanwhile read from the file, and hold up nothing.
"""

from __future__ import annotations

import logging
import os

from ...exceptions import StorageError
from ...runtime.clock import SYSTEM, Clock
from ...runtime.sqlite import BUSY_TIMEOUT, Connection, translated

log = logging.getLogger(__name__)

#: Pages of the log after which SQLite copies it into the file. Open chunks are written again and again: the longer this waits, the
#: fewer of their versions are copied.
PAGES = 4000

#: Bytes of a page. In the log each page takes a few bytes more.
_PAGE = 4096

#: Bytes from which on the log is long.
LONG = 4 * PAGES * _PAGE

#: Milliseconds that the writer waits for views to end, and seconds until it waits again: a view may last long, as a backup's does.
_PATIENCE = 250
_PAUSE = 5.0

#: Seconds until a short log is looked at again: a system call releases the interpreter just when other threads want it.
_LOOK = 0.1


class Log:
    """
    The log of a database file that is written through one connection only.

    Args:
        connection: The writer's connection.
        path: The database file.
        long: Bytes from which on the log is too long.
        clock: Tells when to try again.
    """

    def __init__(self, connection: Connection, path: str, long: int = LONG, clock: Clock = SYSTEM) -> None:
        self._connection = connection
        self._path = path
        self._long = long
        self._clock = clock
        self._again = clock.monotonic()
        connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {PAGES * _PAGE}")

    def shorten(self) -> None:
        """If the log has become long, let the next transaction start it again. Not to be called in a transaction."""
        now = self._clock.monotonic()
        if now < self._again:
            return
        is_long = self._size() >= self._long
        self._again = now + (_PAUSE if is_long else _LOOK)
        if not is_long:
            return
        try:
            with translated(self._path, "writing back the log of"):
                self._connection.set_busy_timeout(_PATIENCE)
                try:
                    self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
                finally:
                    self._connection.set_busy_timeout(BUSY_TIMEOUT)
        except StorageError as error:
            log.warning("%s; will try again", error)

    def _size(self) -> int:
        try:
            return os.stat(self._path + "-wal").st_size
        except FileNotFoundError:
            return 0
