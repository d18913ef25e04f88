"""The notes on batches that may have been sent, and what comes of them: SQL and nothing else; the layout is in `upgrade`."""

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

#: Moves a row in time, and keeps what the clock showed.
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
        """Return, for rows in a note, the further times that they were sent with."""
        times: dict[int, list[float]] = {}
        with self._file.reading() as connection:
            query = "SELECT point, t FROM note_time WHERE point BETWEEN ? AND ? ORDER BY point, t"
            for point, t in connection.execute(query, (first, last)):
                times.setdefault(point, []).append(t)
        return times

    def keep_times(self, first: int, last: int) -> None:
        """Keep the times of rows that leave a note, as those that they were sent with."""

        def work(connection: sqlite.Connection) -> None:
            query = "INSERT OR IGNORE INTO note_time SELECT id, t FROM point WHERE id BETWEEN ? AND ?"
            connection.execute(query, (first, last))

        self._file.write(work)

    def write(self, note: Note) -> None:
        """Write a note, or what has changed in it."""
        self._file.write(lambda connection: write_note(connection, note))

    def begin(self, coming: Coming) -> Begun | None:
        """Note a batch, and return the note with its rows, if there are any."""
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
        Take rows off, and drop the stream's note, replace it with *note*, or go on to the next batch, in one transaction.

        Args:
            stream: Whose rows and note.
            confirmed: Ids of those that are on the server; a range may hold some that are not in the file.
            aside: Ids of those to set aside, with *reason*.
            now: When that is.
            note: What remains in doubt, if anything.
            then: The batch that is noted next, if any.

        Returns:
            That one, as `begin`.
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
        Give the only row of *note* the next larger time and push along the rows behind it that are in the way.

        The time that it had is kept as one that it was sent with; *note* is written along.
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
        Give the rows of *note*, which are older than *newest*, the earliest times after it; *note* is written along.

        Rows that are in the way of those are pushed along, also behind the note.
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
        """Drop every point that waits, those in notes too, but not what was confirmed and is held."""

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
    """Return *ids*, which increase, as runs from first to last without a gap."""
    if ids and ids[-1] - ids[0] + 1 == len(ids):  # all of a batch, as a rule
        yield ids[0], ids[-1]
        return
    start = 0
    for at in range(1, len(ids) + 1):
        if at == len(ids) or ids[at] != ids[at - 1] + 1:
            yield ids[start], ids[at - 1]
            start = at
