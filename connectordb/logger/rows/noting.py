"""
Noting a batch: its rows made into text before anybody waits for it, and written down in the file's next transaction.

Making five thousand rows into text takes longer than all else that this transaction does, and whoever inserts waits for
that. So it is done beforehand, by the connection that reads, and done again only if the rows have changed since.
"""

from __future__ import annotations

from dataclasses import replace

from ...runtime import sqlite
from ..file import MASK, span
from ..records import Coming, Note
from .cache_file import CacheFile
from .packing import Packed, pack

#: A note that was written, and the rows that it is on.
Begun = tuple[Note, Packed]


class Noting:
    """
    A batch that is about to be noted.

    Args:
        file: The file; it is read at once, so not by who has the turn at the writing connection.
        coming: The batch, if there is any.
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
        """See whether the rows are still what they were; first of all in the transaction, which changes others of the stream."""
        self._is_as_packed = self._coming is not None and self._version == _version(connection, self._coming)

    def begin(self, connection: sqlite.Connection) -> Begun | None:
        """
        Write the note, and return it with its rows, if there are any; in the transaction that `look` was in.

        Rows in a note keep their ids; before, they may be put behind an earlier point, which is seen by the stream's version.
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
    """Return what counts every change to the rows of a stream but appending to them."""
    ((version,),) = connection.execute("SELECT version FROM stream WHERE id = ?", (coming.note.stream,))
    return int(version)


def _pack(connection: sqlite.Connection, coming: Coming) -> Packed | None:
    return pack(connection, coming.note.first, coming.note.last, coming.rows, coming.size, coming.at_least)


def write_note(connection: sqlite.Connection, note: Note) -> None:
    """Write a note, or what has changed in it; in a transaction."""
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
