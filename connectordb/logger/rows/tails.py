"""
Where the rows of each stream end: adding rows there, in order, under ids that were never used before.

Remembering a stream's end spares a look at the file for each point. If another process has added rows to the stream since, or
taken some off, the statement that adds a row does nothing, and the end is looked up again. Only to be used by whoever has the turn at
the writing connection (`commits`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import compress
from operator import itemgetter, ne
from typing import NamedTuple

from ...runtime import sqlite
from ..file import base, number_of, span
from ..records import Columns
from ..times import in_order, later
from . import fate

#: If a time is moved by less than so many seconds, it is not noted what the clock showed: points of other threads come that close.
_MOMENT = 1.0

#: Inserts nothing if there is such a row (another process was faster), or if what is remembered of the stream is out of date.
_APPEND = (
    "INSERT OR IGNORE INTO point (id, t, d, era) "
    "SELECT ?1, ?2, ?3, ?4 WHERE (SELECT version FROM stream WHERE id = ?5) = ?6"
)
#: The same for a row whose time is not what the clock showed.
_APPEND_STAMPED = _APPEND.replace("d, era)", "d, era, stamp)").replace("?4 WHERE", "?4, ?7 WHERE")
_SAME = "SELECT 1 FROM point WHERE id = ? AND t = ? AND d = ?"
_NEWEST = "SELECT id, t FROM point WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
#: When points are sorted in: the last row that stays where it is, and the rows behind it, which are taken off.
_STAYS = "SELECT id, t FROM point WHERE id BETWEEN ? AND ? AND t <= ? ORDER BY id DESC LIMIT 1"
_TAKE = "DELETE FROM point WHERE id BETWEEN ? AND ? RETURNING id, t, d, era, stamp"


#: A row that waits: its id, its time, its value, the era of its time, and what the clock showed, if that was another time.
_Waiting = tuple[int, float, str, int | None, float | None]


class Added(NamedTuple):
    """
    Points that were added, in the order of their times.

    Attributes:
        ids: Their ids.
        times: Their times.
        aside: How many of them, from the first on, were set aside.
    """

    ids: Sequence[int] = ()
    times: Sequence[float] = ()
    aside: int = 0

    def and_more(self, more: Added) -> Added:
        """Return these and *more*, of which none was set aside."""
        if not self.ids:
            return more
        return Added([*self.ids, *more.ids], [*self.times, *more.times], self.aside)


class _End:
    """Where a stream's rows end, as far as this process knows."""

    __slots__ = ("base", "last", "number", "version")

    def __init__(self, base: int, number: int, last: float, version: int) -> None:
        self.base, self.number, self.last, self.version = base, number, last, version


class Tails:
    """The ends of all streams."""

    def __init__(self) -> None:
        self._ends: dict[int, _End] = {}
        # how many points of each stream were moved by the smallest step since that was last saved; and in the present transaction
        self._shifted: Counter[int] = Counter()
        self._undecided: Counter[int] = Counter()
        # the connection that was used last, and its methods that every point needs, as making a cursor takes a while
        self._connection: sqlite.Connection | None = None
        self._execute: Callable[..., object]
        self._changes: Callable[[], int]

    def forget(self) -> None:
        """Forget all ends: what was added last was undone, so they have to be looked up again."""
        self._ends.clear()
        self._undecided.clear()

    def committed(self) -> None:
        """Note that the transaction was committed."""
        if self._undecided:
            self._shifted.update(self._undecided)
            self._undecided.clear()

    @property
    def counts(self) -> bool:
        """Whether there are counts that the file does not have yet."""
        return any(self._shifted.values())

    def shifted(self, stream: int) -> int:
        """Return how many points were moved by the smallest step that the file has not counted yet."""
        return self._shifted[stream]

    def append(
        self, connection: sqlite.Connection, stream: int, t: float, d: str, era: int | None
    ) -> tuple[int, float]:
        """
        Add one point, at *t* or, if that is not later, just after the newest; with or without a transaction around it.

        A time before 1970 counts as not later, too: a server would replace it by its own time.

        Returns:
            Its id, and its time.
        """
        if connection is not self._connection:
            self._execute, self._changes = connection.cursor().execute, connection.changes
            self._connection = connection
        end = self._ends.get(stream) or self._end(connection, stream)
        while True:
            at = t if t > end.last else later(end.last)
            id = end.base + end.number + 1
            if at - t < _MOMENT:
                self._execute(_APPEND, (id, at, d, era, stream, end.version))
            else:  # the clock was set back, and what it shows now may turn out to be right
                self._execute(_APPEND_STAMPED, (id, at, d, era, stream, end.version, t))
            added = self._changes()
            if self._ends.get(stream) is not end:  # a signal handler wrote just now, and these may be its changes
                added = sqlite.first(connection, _SAME, (id, at, d)) is not None
            if added:
                end.number += 1
                end.last = at
                if at != t:
                    (self._undecided if connection.in_transaction else self._shifted)[stream] += 1
                return id, at
            end = self._end(connection, stream)

    def append_many(
        self, connection: sqlite.Connection, stream: int, given: Columns, now: float, restamp: bool
    ) -> Added:
        """
        Add points with times that the user gave; to be called in a transaction.

        Points that are older than what was sent are set aside, or with *restamp* given the earliest times after that.
        """
        end = self._end(connection, stream)
        ((sent,),) = connection.execute("SELECT sent FROM stream WHERE id = ?", (stream,))
        old, moved, restamped = bisect_left(given.times, sent), 0, 0
        if old and restamp:
            given = Columns([max(t, sent) for t in given.times], given.texts)
            old, restamped = 0, old
        added = Added()
        if old:
            added = self._set_aside(connection, end, given[:old], sent, now)
        new = given[old:] if old else given
        if new and new.times[0] > end.last:
            added = added.and_more(self._add_behind(connection, stream, end, new))
        elif new:
            put, moved = self._sort_in(connection, stream, end, new, sent)
            added = added.and_more(put)
        if old or moved or restamped:
            connection.execute(
                "UPDATE stream SET aside = aside + ?, moved = moved + ?, restamped = restamped + ?, number = ?, last = ?, "
                "version = version + 1 WHERE id = ?",
                (old, moved, restamped, end.number, end.last, stream),
            )
            self._ends.pop(stream, None)
            self._undecided[stream] -= restamped  # these were counted as restamped
        return added

    def save(self, connection: sqlite.Connection) -> None:
        """Save the counts that the file does not have yet; to be called in a transaction."""
        for stream, number in (self._shifted + self._undecided).items():
            connection.execute("UPDATE stream SET shifted = shifted + ? WHERE id = ?", (number, stream))
            self._undecided[stream] -= number

    def seal(self, connection: sqlite.Connection, stream: int) -> None:
        """
        Save the highest number and the last time of a stream; to be called in a transaction, before rows are taken off or changed.

        It counts up the stream's version, which makes whatever any process remembers of its end out of date.
        """
        end = self._end(connection, stream)
        shifted = self._shifted[stream] + self._undecided[stream]
        connection.execute(
            "UPDATE stream SET number = ?, last = ?, shifted = shifted + ?, version = version + 1 WHERE id = ?",
            (end.number, end.last, shifted, stream),
        )
        self._undecided[stream] -= shifted
        self._ends.pop(stream, None)

    def _end(self, connection: sqlite.Connection, stream: int) -> _End:
        query = "SELECT number, last, version FROM stream WHERE id = ?"
        ((number, last, version),) = connection.execute(query, (stream,))
        if row := sqlite.first(connection, _NEWEST, span(stream)):
            id, t = row
            number, last = max(number, number_of(id)), max(last, t)
        self._ends[stream] = end = _End(base(stream), number, last, version)
        return end

    # --- points with times that the user gave ---------------------------------------------------------------------------

    def _set_aside(self, connection: sqlite.Connection, end: _End, old: Columns, sent: float, now: float) -> Added:
        """Set points aside that are older than one that was sent."""
        first = end.base + end.number + 1
        reason = f"older than {sent!r}, the time of a point that was sent before this one came"
        connection.executemany(
            "INSERT INTO rejected (id, t, d, reason, at) VALUES (?, ?, ?, ?, ?)",
            ((id, t, d, reason, now) for id, (t, d) in enumerate(old, first)),
        )
        end.number += len(old)
        return Added(range(first, first + len(old)), old.times, len(old))

    def _add_behind(self, connection: sqlite.Connection, stream: int, end: _End, new: Columns) -> Added:
        """Add points that are later than all others."""
        first = end.base + end.number + 1
        times = new.times if new.rises else in_order(new.times, end.last)
        ids = range(first, first + len(new))
        rows = zip(times, new.texts, strict=True)
        connection.execute("INSERT INTO point (id, t, d) VALUES (?, ?, ?)", (first, *next(rows)))
        ((highest,),) = connection.execute("SELECT max(id) FROM point")
        if highest == first:  # then SQLite itself gives the next rows the next ids, which is a fifth faster
            connection.executemany("INSERT INTO point (t, d) VALUES (?, ?)", rows)
        else:
            connection.executemany(
                "INSERT INTO point (id, t, d) VALUES (?, ?, ?)",
                ((id, *row) for id, row in zip(ids[1:], rows, strict=True)),
            )
        self._added(stream, end, new.times, times)
        return Added(ids, times)

    def _sort_in(
        self, connection: sqlite.Connection, stream: int, end: _End, new: Columns, sent: float
    ) -> tuple[Added, int]:
        """Add points of which some are earlier than waiting ones. Waiting rows behind the first get new ids; return how many do."""
        lowest, highest = span(stream)
        stays, newest = sqlite.first(connection, _STAYS, (lowest, highest, max(sent, new.times[0]))) or (lowest, sent)
        behind: list[_Waiting] = sorted(connection.execute(_TAKE, (stays + 1, highest)))
        # the sort is stable: of rows with equal times, those that were there before stay first
        rows = sorted([*behind, *((0, t, d, None, None) for t, d in new)], key=itemgetter(1))
        given = [row[1] for row in rows]
        times = in_order(given, max(newest, sent))
        ids = range(end.base + end.number + 1, end.base + end.number + 1 + len(rows))
        connection.executemany(
            "INSERT INTO point (id, t, d, era, stamp) VALUES (?, ?, ?, ?, ?)",
            ((id, t, *row[2:]) for id, t, row in zip(ids, times, rows, strict=True)),
        )
        moves = [(row[0], id) for id, row in zip(ids, rows, strict=True) if row[0]]
        fate.moved(connection, [old for old, _ in moves], [id for _, id in moves])
        self._added(stream, end, given, times)
        is_new = [not row[0] for row in rows]
        return Added(list(compress(ids, is_new)), list(compress(times, is_new))), len(behind)

    def _added(self, stream: int, end: _End, given: Sequence[float], times: Sequence[float]) -> None:
        end.number += len(times)
        end.last = max(end.last, times[-1])
        if times is not given:
            self._undecided[stream] += sum(map(ne, given, times))
