"""
Batches that a server confirmed and may still forget: SQL and nothing else; the layout is in `upgrade`.

The original server says that it stored a batch before that is flushed, and loses about its last second when its machine
loses power. The rows of such a batch are counted as confirmed, and stay in the file until they were seen on the server
later. They are the oldest rows of their stream: what waits comes behind them.
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
    """What a cache file still holds of what was confirmed."""

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
        """Return the streams that have such batches."""
        with self._file.reading() as connection:
            return {stream for (stream,) in connection.execute("SELECT DISTINCT stream FROM held")}

    def first_waiting(self, stream: int) -> int:
        """Return the lowest id that a waiting row of *stream* may have."""
        with self._file.reading() as connection:
            ((held,),) = connection.execute("SELECT held FROM stream WHERE id = ?", (stream,))
            return base(stream) + int(held) + 1

    def hold(self, note: Note, last: int, now: float = 0.0, then: Coming | None = None) -> Begun | None:
        """Count the rows of *note* up to id *last* as confirmed, *now*; drop the note, keep the rows; *then* as in `resolve`."""
        held = (note.stream, note.first, last, note.server, note.apikey, note.path, note.length or 0, note.before)

        noting = Noting(self._file, then)

        def work(connection: sqlite.Connection) -> Begun | None:
            noting.look(connection)
            # those that were dropped meanwhile are counted as that
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
        """Take the rows of *batch* off for good; it was seen on the server later."""

        def work(connection: sqlite.Connection) -> None:
            self._file.tails.seal(connection, batch.stream)
            connection.execute("DELETE FROM point WHERE id BETWEEN ? AND ?", (batch.first, batch.last))
            connection.execute("DELETE FROM held WHERE stream = ? AND first = ?", (batch.stream, batch.first))

        self._file.write(work)

    def lose(self, stream: int, lost: Sequence[int]) -> None:
        """Let rows of *stream* that are held wait again, as they are no longer on the server; take the others off."""

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
