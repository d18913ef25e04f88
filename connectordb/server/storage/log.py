"""
SQLite's write-ahead log, kept short.

SQLite writes the log back into the file by itself, and begins it anew when nobody reads what is in it. Readers whose views follow
each other without a gap never let it: the log grows for as long as they go on. Where it has become long, the writer waits for
the views there are to end; whoever begins one meanwhile reads from the file, and keeps nothing.
"""

from __future__ import annotations

import logging
import os

from ...exceptions import StorageError
from ...runtime.clock import SYSTEM, Clock
from ...runtime.sqlite import BUSY_TIMEOUT, Connection, translated

log = logging.getLogger(__name__)

#: Pages of the log from which on it is written into the file. The open chunks are written again and again: the longer this
#: waits, the fewer of their versions go there.
PAGES = 4000

#: Bytes of a page; the log has some more of each.
_PAGE = 4096

#: Bytes from which on it is long.
LONG = 4 * PAGES * _PAGE

#: Milliseconds that the writer waits for views to end, and seconds until it does so again: a view may be a backup's, and long.
_PATIENCE = 250
_PAUSE = 5.0

#: Seconds until a short log is looked at again: asking the system lets go of the interpreter, just when others want it.
_LOOK = 0.1


class Log:
    """
    The log of the file at *path*, to which nobody writes but through *connection*.

    Args:
        connection: The writer's.
        path: The file.
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
        """Have the next transaction begin the log anew if it has become long; in no transaction."""
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
