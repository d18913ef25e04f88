"""
The cache file: append, pending, confirm, set aside, notes, settings. SQL and nothing else; the layout is in `upgrade`.

Any number of threads may call any of it. Writes go through the turns of `commits`; reads through one connection of their
own. Other processes may write to the same file at any time: what is kept in memory about a stream is checked by the very
statement that relies on it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..exceptions import ClosedError
from ..protocol import json_text
from ..runtime import sqlite
from . import upgrade
from .commits import Commits
from .plan import later
from .records import Ledger, Note, Rejected, Row, StreamRow
from .tails import Tails

_BITS = upgrade.NUMBER_BITS
_MASK = (1 << _BITS) - 1

_COUNT = (
    "coalesce((SELECT p.id & ?1 FROM point p WHERE p.id BETWEEN s.id << 40 AND (s.id << 40) + ?1 "
    "ORDER BY p.id DESC LIMIT 1), 0)"
)
_ACCEPTED = f"max(s.number, {_COUNT})"
_WAITING = f"{_ACCEPTED} - s.confirmed - s.aside - s.dropped - s.moved"


class Store:
    """An open cache file."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._tails = Tails()  # touched only by who has the turn
        self._commits = Commits(upgrade.open_file(path), path, self._tails.forget)
        # guards the reading connection, for as long as a statement runs
        self._reading = threading.Lock()
        self._reader: sqlite.Connection | None = sqlite.connect(path)

    @property
    def is_ours(self) -> bool:
        """Whether this process opened the file, and not one that it was forked from."""
        return self._commits.is_ours

    def close(self) -> None:
        """Finish what is queued and close the file; may be called twice."""
        if not self._commits.is_ours:  # the files are the parent's
            return
        self._commits.close()
        with self._reading:
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    @contextmanager
    def _read(self) -> Iterator[sqlite.Connection]:
        if not self._commits.is_ours:
            raise self._commits.foreign_error()
        with self._reading, sqlite.translated(self.path, "reading"):
            if self._reader is None:
                raise ClosedError(f"the cache file {self.path!r} was closed")
            yield self._reader

    # --- points -------------------------------------------------------------------------------------------------------

    def append(self, stream: int, t: float, d: str, era: int | None) -> None:
        """Add one point, at *t* or just after the newest of the stream; on disk when this returns."""
        self._commits.run(lambda connection: self._tails.append(connection, stream, t, d, era), atomic=True)

    def append_many(self, points: Mapping[int, Sequence[tuple[float, str]]], now: float) -> None:
        """
        Add points with times of the user's, stream by stream; all of them or none.

        One that is earlier than waiting points is sorted in among them; one that is earlier than what was sent already is
        set aside, as of *now*; one at the time of another is moved by the smallest step.
        """

        def work(connection: sqlite.Connection) -> None:
            for stream, given in points.items():
                self._tails.append_many(connection, stream, sorted(given, key=lambda point: point[0]), now)

        self._commits.run(work)

    def era(self, boot: str, difference: float) -> int:
        """Note how wall clock and boot clock go together from now on; return what to mark points with."""

        def work(connection: sqlite.Connection) -> int:
            connection.execute("INSERT INTO era (boot, difference) VALUES (?, ?)", (boot, difference))
            return int(connection.last_insert_rowid())

        return self._commits.run(work)

    # --- what waits ---------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return how many points wait, in all streams."""
        with self._read() as connection:
            ((waiting,),) = connection.execute(f"SELECT coalesce(sum({_WAITING}), 0) FROM stream s", (_MASK,))
            return int(waiting)

    def ledgers(self) -> list[Ledger]:
        """Return what became of the points of each stream."""
        query = f"SELECT s.name, {_ACCEPTED} - s.moved, {_WAITING}, s.confirmed, s.aside, s.dropped FROM stream s ORDER BY s.id"
        with self._read() as connection:
            return [Ledger(*row) for row in connection.execute(query, (_MASK,))]

    def newest(self) -> dict[int, int]:
        """Return the id of the newest waiting row of each stream that has one."""
        query = f"SELECT s.id, {_COUNT} FROM stream s ORDER BY s.id"
        with self._read() as connection:
            rows = list(connection.execute(query, (_MASK,)))
        return {stream: (stream << _BITS) + number for stream, number in rows if number}

    def rows(self, first: int, last: int, limit: int, size: int, at_least: int = 1) -> list[Row]:
        """Return waiting rows from id *first* to *last*, *limit* at most and about *size* bytes, but *at_least* so many."""
        with self._read() as connection:
            return _rows(connection, first, last, limit, size, at_least)

    # --- notes and what comes of them -----------------------------------------------------------------------------------

    def note(self, stream: int) -> Note | None:
        """Return the note on a batch of *stream* that may have been sent, if there is one."""
        query = "SELECT stream, first, last, server, apikey, path, length, before, attempts FROM note WHERE stream = ?"
        with self._read() as connection:
            for row in connection.execute(query, (stream,)):
                return Note(*row)
        return None

    def noted(self) -> list[int]:
        """Return the streams that have a note."""
        with self._read() as connection:
            return [stream for (stream,) in connection.execute("SELECT stream FROM note ORDER BY stream")]

    def sent_times(self, first: int, last: int) -> dict[int, list[float]]:
        """Return, for rows in a note, the further times that they were sent with."""
        times: dict[int, list[float]] = {}
        with self._read() as connection:
            query = "SELECT point, t FROM note_time WHERE point BETWEEN ? AND ? ORDER BY point, t"
            for point, t in connection.execute(query, (first, last)):
                times.setdefault(point, []).append(t)
        return times

    def write_note(self, note: Note) -> None:
        """Write a note, or what has changed in it."""
        self._commits.run(lambda connection: self._write_note(connection, note))

    def note_rows(self, note: Note, limit: int, size: int, at_least: int = 1) -> tuple[Note, list[Row]]:
        """
        Write a note on the first rows in the span of *note*, and return it with them; limits as in `rows`.

        They are read in the same transaction: rows in a note keep their ids, others may be put behind an earlier point.
        """

        def work(connection: sqlite.Connection) -> tuple[Note, list[Row]]:
            rows = _rows(connection, note.first, note.last, limit, size, at_least)
            if not rows:
                return note, rows
            noted = replace(note, first=rows[0].id, last=rows[-1].id)
            self._write_note(connection, noted)
            return noted, rows

        return self._commits.run(work)

    def _write_note(self, connection: sqlite.Connection, note: Note) -> None:
        connection.execute(
            "REPLACE INTO note (stream, first, last, server, apikey, path, length, before, attempts) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            ),
        )
        connection.execute(
            "UPDATE stream SET sent = max(sent, coalesce((SELECT t FROM point WHERE id = ?), 0)) WHERE id = ?",
            (note.last, note.stream),
        )

    def resolve(
        self,
        stream: int,
        confirmed: Sequence[int] = (),
        aside: Sequence[int] = (),
        reason: str = "",
        now: float = 0.0,
        note: Note | None = None,
    ) -> None:
        """
        Take rows off, and drop the stream's note or replace it with *note*, in one transaction.

        Args:
            stream: Whose rows and note.
            confirmed: Ids of those that are on the server.
            aside: Ids of those to set aside, with *reason*, as of *now*.
            note: What remains in doubt, if anything.
        """

        def work(connection: sqlite.Connection) -> None:
            self._tails.seal(connection, stream)
            gone = aside_count = 0
            for first, last in _runs(aside):
                connection.execute(
                    "INSERT INTO rejected SELECT id, t, d, era, ?, ? FROM point WHERE id BETWEEN ? AND ?",
                    (reason, now, first, last),
                )
                connection.execute("DELETE FROM point WHERE id BETWEEN ? AND ?", (first, last))
                aside_count += connection.changes()
            for first, last in _runs(confirmed):
                connection.execute("DELETE FROM point WHERE id BETWEEN ? AND ?", (first, last))
                gone += connection.changes()
            connection.execute(
                "UPDATE stream SET confirmed = confirmed + ?, aside = aside + ? WHERE id = ?",
                (gone, aside_count, stream),
            )
            self._drop_note(connection, stream)
            if note is not None:
                self._write_note(connection, note)

        self._commits.run(work)

    def move(self, note: Note, also_sent: bool = True) -> None:
        """
        Give the only row of *note* the next larger time and push along the rows behind it that are in the way.

        The time that it had is kept as one that it was sent with; *note* is written along.
        """

        def work(connection: sqlite.Connection) -> None:
            self._tails.seal(connection, note.stream)
            last = 0.0
            query = "SELECT id, t FROM point WHERE id BETWEEN ? AND ? ORDER BY id"
            moves = []
            for id, t in connection.execute(query, (note.first, note.stream << _BITS | _MASK)):
                if id == note.first:
                    last = later(t)
                    if also_sent:
                        connection.execute("INSERT OR IGNORE INTO note_time VALUES (?, ?)", (id, t))
                elif t <= last:
                    last = later(last)
                else:
                    break
                moves.append((last, id))
            connection.executemany("UPDATE point SET t = ? WHERE id = ?", moves)
            connection.execute("UPDATE stream SET last = max(last, ?) WHERE id = ?", (last, note.stream))
            self._write_note(connection, note)

        self._commits.run(work)

    def spread(self, stream: int) -> None:
        """Give waiting rows with equal times different ones, each the next larger; for rows of an older file."""

        def work(connection: sqlite.Connection) -> None:
            self._tails.seal(connection, stream)
            last, moves = 0.0, []
            query = "SELECT id, t FROM point WHERE id BETWEEN ? AND ? ORDER BY id"
            for id, t in connection.execute(query, (stream << _BITS, stream << _BITS | _MASK)):
                if t <= last:
                    t = later(last)
                    moves.append((t, id))
                last = t
            connection.executemany("UPDATE point SET t = ? WHERE id = ?", moves)
            connection.execute("UPDATE stream SET last = max(last, ?) WHERE id = ?", (last, stream))

        self._commits.run(work)

    def _drop_note(self, connection: sqlite.Connection, stream: int) -> None:
        connection.execute("DELETE FROM note WHERE stream = ?", (stream,))
        connection.execute(
            "DELETE FROM note_time WHERE point BETWEEN ? AND ?", (stream << _BITS, stream << _BITS | _MASK)
        )

    def rejected(self) -> list[Rejected]:
        """Return the points that were set aside, oldest first."""
        query = (
            "SELECT r.id, s.name, r.t, r.d, r.reason, r.at FROM rejected r JOIN stream s ON s.id = r.id >> 40 "
            "ORDER BY r.at, r.id"
        )
        with self._read() as connection:
            rows = list(connection.execute(query))
        return [Rejected(id, name, t, _value(d), reason, at) for id, name, t, d, reason, at in rows]

    def clear(self) -> None:
        """Drop every point that waits, those in notes too."""

        def work(connection: sqlite.Connection) -> None:
            for (stream,) in list(connection.execute("SELECT id FROM stream")):
                self._tails.seal(connection, stream)
                connection.execute(
                    "DELETE FROM point WHERE id BETWEEN ? AND ?", (stream << _BITS, stream << _BITS | _MASK)
                )
                connection.execute(
                    "UPDATE stream SET dropped = dropped + ? WHERE id = ?", (connection.changes(), stream)
                )
                self._drop_note(connection, stream)

        self._commits.run(work)

    # --- streams and settings ---------------------------------------------------------------------------------------------

    def streams(self) -> list[StreamRow]:
        """Return the streams, in the order in which they were added."""
        with self._read() as connection:
            rows = list(
                connection.execute("SELECT id, name, schema, properties, declared, strict FROM stream ORDER BY id")
            )
        return [
            StreamRow(id, name, schema, json_text.loads(properties), bool(declared), bool(strict))
            for id, name, schema, properties, declared, strict in rows
        ]

    def put_stream(
        self,
        name: str,
        schema: str,
        properties: Mapping[str, Any] | None = None,
        declared: bool = False,
        strict: bool = False,
    ) -> None:
        """Add a stream, or change the one of that name."""
        text = json_text.dumps(dict(properties or {})).decode()

        def work(connection: sqlite.Connection) -> None:
            connection.execute(
                "INSERT INTO stream (name, schema, properties, declared, strict) VALUES (?1, ?2, ?3, ?4, ?5) "
                "ON CONFLICT (name) DO UPDATE SET schema = ?2, properties = ?3, declared = ?4, strict = ?5",
                (name, schema, text, declared, strict),
            )

        self._commits.run(work)

    def declare_all(self) -> None:
        """Have the server asked for every stream again: it is another server."""
        self._commits.run(lambda connection: connection.execute("UPDATE stream SET declared = 1"))

    def settings(self) -> dict[str, Any]:
        """Return all settings."""
        with self._read() as connection:
            return {name: json_text.loads(value) for name, value in connection.execute("SELECT * FROM setting")}

    def save(self, **settings: Any) -> None:
        """Keep settings, any JSON values, in one transaction."""
        rows: Iterable[tuple[str, str]] = [(name, json_text.dumps(value).decode()) for name, value in settings.items()]
        self._commits.run(lambda connection: connection.executemany("REPLACE INTO setting VALUES (?, ?)", rows))


def _rows(connection: sqlite.Connection, first: int, last: int, limit: int, size: int, at_least: int) -> list[Row]:
    rows: list[Row] = []
    bytes_so_far = 0
    query = "SELECT id, t, d FROM point WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
    for row in connection.execute(query, (first, last, limit)):
        bytes_so_far += 40 + len(row[2])
        if bytes_so_far > size and len(rows) >= at_least:
            break
        rows.append(Row(*row))
    return rows


def _runs(ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Return *ids*, which increase, as runs from first to last without a gap."""
    start = 0
    for at in range(1, len(ids) + 1):
        if at == len(ids) or ids[at] != ids[at - 1] + 1:
            yield ids[start], ids[at - 1]
            start = at


def _value(d: str) -> Any:
    try:
        return json_text.loads(d)
    except ValueError:
        return d  # that may be why it was set aside
