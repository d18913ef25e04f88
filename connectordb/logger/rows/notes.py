"""The notes on batches that may have been sent, and what becomes of these. Only SQL; the layout is in `upgrade`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from ...runtime import sqlite
from ..file import base, span
from ..records import Coming, Note
from ..times import later
from . import fate
from .cache_file import CacheFile
from .noting import Begun, Noting, drop_note, write_note

#: Gives a row another time, and keeps the time that the clock showed.
_MOVE = "UPDATE point SET stamp = CASE WHEN era IS NOT NULL THEN coalesce(stamp, t) END, t = ? WHERE id = ?"


class Notes:
    """The notes of a cache file."""

    def __init__(self, file: CacheFile) -> None:
        self._file = file

    def of(self, stream: int) -> Note | None:
        """Return the note on a batch of *stream* that may have been sent, if there is one."""
        query = (
            "SELECT stream, first, last, server, apikey, path, length, before, attempts, key FROM note WHERE stream = ?"
        )
        with self._file.reading() as connection:
            row = sqlite.first(connection, query, (stream,))
        return None if row is None else Note(*row)

    def streams(self) -> list[int]:
        """Return the streams that have a note."""
        with self._file.reading() as connection:
            return [stream for (stream,) in connection.execute("SELECT stream FROM note ORDER BY stream")]

    def sent_times(self, first: int, last: int) -> dict[int, list[float]]:
        """Return, for rows in a note, the other times that they were sent with before."""
        times: dict[int, list[float]] = {}
        with self._file.reading() as connection:
            query = "SELECT point, t FROM note_time WHERE point BETWEEN ? AND ? ORDER BY point, t"
            for point, t in connection.execute(query, (first, last)):
                times.setdefault(point, []).append(t)
        return times

    def keep_times(self, first: int, last: int) -> None:
        """Keep the present times of rows that leave a note: they may have been sent with these."""

        def work(connection: sqlite.Connection) -> None:
            query = "INSERT OR IGNORE INTO note_time SELECT id, t FROM point WHERE id BETWEEN ? AND ?"
            connection.execute(query, (first, last))

        self._file.write(work)

    def write(self, note: Note) -> None:
        """Write a note, or replace it if it has changed."""
        self._file.write(lambda connection: write_note(connection, note))

    def begin(self, coming: Coming) -> Begun | None:
        """Note a batch, and return the note and its rows; ``None`` if there are no rows."""
        noting = Noting(self._file, coming)

        def work(connection: sqlite.Connection) -> Begun | None:
            noting.look(connection)
            return noting.begin(connection)

        return self._file.write(work)

    def resolve(
        self,
        stream: int,
        confirmed: Sequence[int] = (),
        aside: Sequence[int] = (),
        reason: str = "",
        now: float = 0.0,
        note: Note | None = None,
        then: Coming | None = None,
    ) -> Begun | None:
        """
        Take rows off the file, and drop the stream's note or replace it, in one transaction.

        Args:
            stream: The stream.
            confirmed: Ids of rows that the server has; a range may have gaps in the file.
            aside: Ids of rows to be set aside, with *reason*.
            now: The present time.
            note: The note that remains, if something is still in doubt.
            then: The batch to be noted next, if any.

        Returns:
            The next batch, as `begin`.
        """
        noting = Noting(self._file, then)

        def work(connection: sqlite.Connection) -> Begun | None:
            noting.look(connection)
            self._file.tails.seal(connection, stream)
            gone = aside_count = 0
            for first, last in runs(aside):
                connection.execute(
                    "INSERT INTO rejected SELECT id, t, d, era, ?, ? FROM point WHERE id BETWEEN ? AND ?",
                    (reason, now, first, last),
                )
                connection.execute("DELETE FROM point WHERE id BETWEEN ? AND ?", (first, last))
                aside_count += connection.changes()
            for first, last in runs(confirmed):
                connection.execute("DELETE FROM point WHERE id BETWEEN ? AND ?", (first, last))
                gone += connection.changes()
            connection.execute(
                "UPDATE stream SET confirmed = confirmed + ?1, aside = aside + ?2, synced = iif(?1, ?3, synced) WHERE id = ?4",
                (gone, aside_count, now, stream),
            )
            drop_note(connection, stream)
            if note is not None:
                write_note(connection, note)
            return noting.begin(connection)

        return self._file.write(work)

    def move(self, note: Note) -> None:
        """
        Give the only row of *note* the next larger time, and move the rows behind it along as far as they are in the way.

        The time that it had is kept as one that it was sent with. *note* is written in the same transaction.
        """

        def work(connection: sqlite.Connection) -> None:
            self._file.tails.seal(connection, note.stream)
            last = 0.0
            query = "SELECT id, t FROM point WHERE id BETWEEN ? AND ? ORDER BY id"
            moves = []
            with closing(connection.execute(query, (note.first, span(note.stream)[1]))) as rows:
                for id, t in rows:
                    if id == note.first:
                        last = later(t)
                        connection.execute("INSERT OR IGNORE INTO note_time VALUES (?, ?)", (id, t))
                    elif t <= last:
                        last = later(last)
                    else:
                        break
                    moves.append((last, id))
            connection.executemany(_MOVE, moves)
            connection.execute("UPDATE stream SET last = max(last, ?) WHERE id = ?", (last, note.stream))
            write_note(connection, note)

        self._file.write(work)

    def restamp(self, note: Note, newest: float) -> None:
        """
        Give the rows of *note* that are older than *newest* the earliest times after it.

        Rows that are in the way are moved along, even those behind the note. *note* is written in the same transaction.
        """

        def work(connection: sqlite.Connection) -> None:
            self._file.tails.seal(connection, note.stream)
            last, moves = newest, []
            query = "SELECT id, t FROM point WHERE id BETWEEN ? AND ? ORDER BY id"
            with closing(connection.execute(query, (note.first, span(note.stream)[1]))) as rows:
                for id, t in rows:
                    if t > last:
                        break
                    last = later(last)
                    moves.append((last, id))
            connection.executemany(_MOVE, moves)
            connection.execute(
                "UPDATE stream SET last = max(last, ?), restamped = restamped + ? WHERE id = ?",
                (last, len(moves), note.stream),
            )
            write_note(connection, note)

        self._file.write(work)

    def clear(self) -> None:
        """Drop every point that waits, even those in notes, but not those that were confirmed and are held."""

        def work(connection: sqlite.Connection) -> None:
            for (stream,) in list(connection.execute("SELECT id FROM stream")):
                self._file.tails.seal(connection, stream)
                ((held,),) = connection.execute("SELECT held FROM stream WHERE id = ?", (stream,))
                waiting = (base(stream) + held + 1, span(stream)[1])
                dropped = fate.dropped_rows(connection, *waiting)
                connection.execute("DELETE FROM point WHERE id BETWEEN ? AND ?", waiting)
                connection.execute("UPDATE stream SET dropped = dropped + ? WHERE id = ?", (dropped, stream))
                drop_note(connection, stream)

        self._file.write(work)


def runs(ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield *ids*, which increase, as runs without gaps, each by its first and its last id."""
    if ids and ids[-1] - ids[0] + 1 == len(ids):  # as nearly always
        yield ids[0], ids[-1]
        return
    start = 0
    for at in range(1, len(ids) + 1):
        if at == len(ids) or ids[at] != ids[at - 1] + 1:
            yield ids[start], ids[at - 1]
            start = at
