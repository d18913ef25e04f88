"""
Whether a cache file is as it was written, as far as that can be known at each opening without going through all of a large file.

A sound file is never taken for damaged, whoever writes to it meanwhile. Damage in a place where nobody has looked is found
when somebody does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ...exceptions import StorageDamaged, StorageError
from ...protocol import json_text
from ...runtime import layouts, sqlite
from ...runtime.sqlite_log import Log, goes_on_after
from ..file import NUMBER_BITS, upgrade

#: A file of up to so many bytes is gone through at each opening, which takes some hundredths of a second.
_SMALL = 4 * 1024 * 1024

#: The same, if a process that used it was killed or lost power: some tenths of a second.
_MIDDLING = 64 * 1024 * 1024

_OLD_LAYOUT = {
    "cache": ["stream", "timestamp", "jsondata"],
    "streams": ["stream", "jsonschema"],
    "metadata": ["apikey", "serverurl", "lastsynctime", "syncperiod", "userdatajson"],
}

_ENDS = (
    "SELECT count(*) FROM stream s WHERE (SELECT t + length(d) FROM point WHERE id BETWEEN s.id << ?1 AND (s.id + 1 << ?1) - 1 "
    "ORDER BY id LIMIT 1) + (SELECT t + length(d) FROM point WHERE id BETWEEN s.id << ?1 AND (s.id + 1 << ?1) - 1 "
    "ORDER BY id DESC LIMIT 1) > 0"
)


class Check:
    """
    Checks the file at *path*: making this looks at it before SQLite opens it, which changes it; calling it does the rest.

    Args:
        path: Where it is.
        thorough: Go through all of it, however large.

    Raises:
        StorageDamaged: SQLite would drop what the log has.
    """

    def __init__(self, path: str | os.PathLike[str], thorough: bool = False) -> None:
        self._path = path
        self._thorough = thorough
        with _log(path) as log:
            self._salts, self._is_headed = log.salts, log.is_headed
            self._frames = list(log.frames())
        if self._frames and os.stat(path).st_size == 0:
            raise self._damaged("it is empty, and its log is not")

    def __call__(self, connection: sqlite.Connection) -> None:
        """
        Check the rest, with the connection that was opened.

        Raises:
            StorageDamaged: The file is not as it was written.
        """
        self._check_length(connection)
        self._check_log(connection)
        self._check_header(connection)
        old = self._check_layout(connection)
        size = os.stat(self._path).st_size
        whole = old or self._thorough or size <= (_MIDDLING if self._frames else _SMALL)
        if whole:
            self._expect_ok(connection, "PRAGMA quick_check(1)")
        if not old and layouts.version(connection):
            self._check_small_tables(connection)
            connection.execute(_ENDS, (NUMBER_BITS,)).fetchall()
            for table in ("point", "rejected") if whole else ():
                # reading text raises an error if it is not valid
                query = f"SELECT d FROM {table} WHERE d GLOB '*[^' || char(1) || '-' || char(127) || ']*'"
                for _ in connection.execute(query):
                    pass

    def _check_length(self, connection: sqlite.Connection) -> None:
        pages, size = int(connection.pragma("page_count")), int(connection.pragma("page_size"))
        with _log(self._path) as log:
            logged = {frame.page for frame in log.frames()}
        # in this order: a process that is writing now puts pages into the file before they leave the log
        there = os.stat(self._path).st_size // size
        missing = next((page for page in range(there + 1, pages + 1) if page not in logged), None)
        if missing is not None:
            raise self._damaged(f"it ends before page {missing} of {pages}")

    def _check_log(self, connection: sqlite.Connection) -> None:
        if not self._frames:
            return
        taken = sqlite.logged_frames(connection)
        with _log(self._path) as log:
            begun_anew = log.salts != self._salts  # by another process; then everything that was in it is in the file
        # if not every commit is flushed, a power cut may leave gaps
        if not begun_anew and goes_on_after(taken, self._frames) and not _may_have_gaps(connection):
            raise self._damaged(f"something in its log is wrong behind frame {taken}, and there are more")
        if not begun_anew and not self._is_headed and any(frame.ends for frame in self._frames):
            raise self._damaged("its log has no header")

    def _check_header(self, connection: sqlite.Connection) -> None:
        encoding, vacuum = connection.pragma("encoding"), connection.pragma("auto_vacuum")
        if encoding != "UTF-8" or vacuum != 0:
            raise self._damaged(f"its header says encoding {encoding}, auto_vacuum {vacuum}")
        if not sqlite.can_write(connection) and os.access(self._path, os.W_OK):
            raise self._damaged("its header says that it is of a later version of SQLite")

    def _check_layout(self, connection: sqlite.Connection) -> bool:
        """Check that the tables are as they were made; tell whether they are those of 0.3.5."""
        # these two first: another process may be creating the tables now, which appear all at once, with the version
        version, pages = layouts.version(connection), int(connection.pragma("page_count"))
        found = upgrade.layout(connection)
        old = set(found) == upgrade.OLD_TABLES
        if old and {table: [name for name, *_ in columns] for table, columns in found.items()} != _OLD_LAYOUT:
            raise self._damaged("its tables have other columns than the old client gave them")
        if version == len(upgrade.MIGRATIONS):
            for table, columns in upgrade.newest_layout().items():
                if found.get(table) != columns:
                    raise self._damaged(f"its table {table} is not as it was made")
        if not found and pages > 1:
            raise self._damaged("it has pages, but no tables")
        return old

    def _check_small_tables(self, connection: sqlite.Connection) -> None:
        for table in ("setting", "stream", "note"):
            self._expect_ok(connection, f"PRAGMA integrity_check({table})")
        try:
            for (value,) in connection.execute("SELECT value FROM setting"):
                json_text.loads(value)
            for schema, properties in connection.execute("SELECT schema, properties FROM stream"):
                json_text.loads(schema)
                json_text.loads(properties)
        except ValueError as error:
            raise self._damaged(f"what should be JSON is none: {error}") from error

    def _expect_ok(self, connection: sqlite.Connection, query: str) -> None:
        said = str(connection.execute(query).fetchall()[0][0])
        if said != "ok":
            raise self._damaged(" ".join(said.removeprefix("*** in database main ***").split()))

    def _damaged(self, why: str) -> StorageDamaged:
        return StorageDamaged(f"opening {os.fspath(self._path)!r}: the file is damaged ({why})")


def _may_have_gaps(connection: sqlite.Connection) -> bool:
    return bool(layouts.version(connection) and connection.execute(upgrade.IS_UNFLUSHED).fetchall())


@contextmanager
def _log(path: str | os.PathLike[str]) -> Iterator[Log]:
    try:
        with Log(path) as log:
            yield log
    except OSError as error:
        raise StorageError(f"reading the log of {os.fspath(path)!r}: {error.strerror}") from error
