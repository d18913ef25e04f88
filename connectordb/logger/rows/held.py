"""
Batches that a server confirmed and may still forget. Only SQL; the layout is in `upgrade`.

The original server says that it stored a batch before it has flushed it, and loses about its last second if its machine
loses power. The rows of such a batch are counted as confirmed, but stay in the file until they were seen on the server
some time later. They are the oldest rows of their stream: the rows that wait come behind them.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...runtime import sqlite
from ..file import base, number_of
from ..records import Coming, Held, Note
from .cache_file import CacheFile
from .notes import runs
from .noting import Begun, Noting, drop_note


class HeldBatches:
    """The held batches of a cache file."""

    def __init__(self, file: CacheFile) -> None:
        self._file = file

    def of(self, stream: int) -> list[Held]:
        """Return the batches of *stream* that are held, oldest first."""
        query = (
            "SELECT stream, first, last, server, apikey, path, length, before, version FROM held WHERE stream = ? "
            "ORDER BY first"
        )
        with self._file.reading() as connection:
            return [Held(*row) for row in connection.execute(query, (stream,))]

    def streams(self) -> set[int]:
        """Return the streams that have held batches."""
        with self._file.reading() as connection:
            return {stream for (stream,) in connection.execute("SELECT DISTINCT stream FROM held")}

    def first_waiting(self, stream: int) -> int:
        """Return the lowest id that a waiting row of *stream* may have."""
        with self._file.reading() as connection:
            ((held,),) = connection.execute("SELECT held FROM stream WHERE id = ?", (stream,))
            return base(stream) + int(held) + 1

    def hold(self, note: Note, last: int, now: float = 0.0, then: Coming | None = None) -> Begun | None:
        """Count the rows of *note* up to id *last* as confirmed, but keep them; drop the note. *now*, *then*: as `Notes.resolve`."""
        held = (note.stream, note.first, last, note.server, note.apikey, note.path, note.length or 0, note.before)
        noting = Noting(self._file, then)

        def work(connection: sqlite.Connection) -> Begun | None:
            noting.look(connection)
            # rows that were dropped meanwhile were counted as dropped
            query = "SELECT count(*) FROM point WHERE id BETWEEN ? AND ?"
            ((count,),) = connection.execute(query, (note.first, last))
            if count:
                connection.execute(
                    "UPDATE stream SET confirmed = confirmed + ?, held = ?, synced = ?, version = version + 1 WHERE id = ?",
                    (count, number_of(last), now, note.stream),
                )
                connection.execute(
                    "INSERT INTO held SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, version FROM stream WHERE id = ?1", held
                )
            drop_note(connection, note.stream)
            return noting.begin(connection)

        return self._file.write(work)

    def release(self, batch: Held) -> None:
        """Take the rows of *batch* off for good: the server still has them."""

        def work(connection: sqlite.Connection) -> None:
            self._file.tails.seal(connection, batch.stream)
            connection.execute("DELETE FROM point WHERE id BETWEEN ? AND ?", (batch.first, batch.last))
            connection.execute("DELETE FROM held WHERE stream = ? AND first = ?", (batch.stream, batch.first))

        self._file.write(work)

    def lose(self, stream: int, lost: Sequence[int]) -> None:
        """Make the held rows that the server *lost* wait again; take all other held rows of *stream* off."""

        def work(connection: sqlite.Connection) -> None:
            self._file.tails.seal(connection, stream)
            ((held,),) = connection.execute("SELECT held FROM stream WHERE id = ?", (stream,))
            gap, end = base(stream), base(stream) + held
            for first, last in [*runs(lost), (end + 1, end + 1)]:
                connection.execute("DELETE FROM point WHERE id BETWEEN ? AND ?", (gap, first - 1))
                gap = last + 1
            connection.execute(
                "UPDATE stream SET confirmed = confirmed - ?, held = 0 WHERE id = ?", (len(lost), stream)
            )
            connection.execute("DELETE FROM held WHERE stream = ?", (stream,))

        self._file.write(work)
