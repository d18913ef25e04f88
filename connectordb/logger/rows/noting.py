"""
Noting a batch: its rows are made into text beforehand, and the note is written in the file's next transaction.

Making five thousand rows into text takes longer than everything else in that transaction, for which all inserts have to wait. So
it is done before, on the connection that reads, and done again only if the rows have changed since.
"""

from __future__ import annotations

from dataclasses import replace

from ...runtime import sqlite
from ..file import MASK, span
from ..records import Coming, Note
from .cache_file import CacheFile
from .packing import Packed, pack

#: A note that was written, and its rows.
Begun = tuple[Note, Packed]


class Noting:
    """
    A batch that is about to be noted.

    Args:
        file: The file. It is read at once, so whoever has the turn at the writing connection must not make one of these.
        coming: The batch; ``None`` if there is none, and `begin` does nothing.
    """

    def __init__(self, file: CacheFile, coming: Coming | None) -> None:
        self._coming = coming
        self._packed: Packed | None = None
        self._version: int | None = None
        self._is_as_packed = False
        if coming is not None:
            with file.reading() as connection, sqlite.view(connection):
                self._version = _version(connection, coming)
                self._packed = _pack(connection, coming)

    def look(self, connection: sqlite.Connection) -> None:
        """See whether the rows are still what they were; to be called first in the transaction, before that changes the stream itself."""
        self._is_as_packed = self._coming is not None and self._version == _version(connection, self._coming)

    def begin(self, connection: sqlite.Connection) -> Begun | None:
        """
        Write the note, and return it with its rows, if there are any; to be called in the transaction in which `look` was.

        Until rows are in a note they may get other ids, if an earlier point is sorted in; the stream's version tells of that.
        """
        if self._coming is None:
            return None
        packed = self._packed if self._is_as_packed else _pack(connection, self._coming)
        if packed is None:
            return None
        note = replace(self._coming.note, first=packed.first, last=packed.last)
        write_note(connection, note)
        return note, packed


def _version(connection: sqlite.Connection, coming: Coming) -> int:
    """Return the stream's version, which is counted up by every change to its rows but appending."""
    ((version,),) = connection.execute("SELECT version FROM stream WHERE id = ?", (coming.note.stream,))
    return int(version)


def _pack(connection: sqlite.Connection, coming: Coming) -> Packed | None:
    return pack(connection, coming.note.first, coming.note.last, coming.rows, coming.size, coming.at_least)


def write_note(connection: sqlite.Connection, note: Note) -> None:
    """Write a note, or replace it if it has changed; to be called in a transaction."""
    connection.execute(
        "REPLACE INTO note (stream, first, last, server, apikey, path, length, before, attempts, key) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            note.stream,
            note.first,
            note.last,
            note.server,
            note.apikey,
            note.path,
            note.length,
            note.before,
            note.attempts,
            note.key,
        ),
    )
    connection.execute(
        "UPDATE stream SET sent = max(sent, coalesce((SELECT t FROM point WHERE id = ?1), 0)), "
        "noted = max(noted, ?1 & ?2) WHERE id = ?3",
        (note.last, MASK, note.stream),
    )


def drop_note(connection: sqlite.Connection, stream: int) -> None:
    """Drop the note of *stream*, if it has one."""
    connection.execute("DELETE FROM note WHERE stream = ?", (stream,))
    connection.execute("DELETE FROM note_time WHERE point BETWEEN ? AND ?", span(stream))
