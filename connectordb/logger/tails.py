"""
Where the rows of each stream end: adding to them, in order, under ids that were never used.

What is remembered of a stream's end spares a look at the file for each point. Another process may have added to the stream
since, or taken rows off: the statement that adds a row does nothing then, and the end is looked up again. Used only by who
has the turn at the writing connection (`commits`).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..runtime import sqlite
from .plan import in_order, later
from .upgrade import NUMBER_BITS

#: Seconds by which a time may be moved without note of what the clock showed; other threads' points come that close.
_MOMENT = 1.0

_MASK = (1 << NUMBER_BITS) - 1

#: Inserts nothing if the row is there (another process was faster) or if what is known of the stream is out of date.
_APPEND = (
    "INSERT OR IGNORE INTO point (id, t, d, era) "
    "SELECT ?1, ?2, ?3, ?4 WHERE (SELECT version FROM stream WHERE id = ?5) = ?6"
)
#: The same for a row whose time is not what the clock showed.
_APPEND_STAMPED = _APPEND.replace("d, era)", "d, era, stamp)").replace("?4 WHERE", "?4, ?7 WHERE")
_NEWEST = "SELECT id, t FROM point WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"


#: Of a row that waits: its time, its value, the era of its time, and what the clock showed if that was another time.
_Waiting = tuple[float, str, int | None, float | None]


class _End:
    """Where a stream's rows end, as far as this process knows."""

    __slots__ = ("base", "last", "number", "version")

    def __init__(self, base: int, number: int, last: float, version: int) -> None:
        self.base, self.number, self.last, self.version = base, number, last, version


class Tails:
    """The ends of all streams."""

    def __init__(self) -> None:
        self._ends: dict[int, _End] = {}

    def forget(self) -> None:
        """Look at the file before adding anything: what was added last was undone."""
        self._ends.clear()

    def append(self, connection: sqlite.Connection, stream: int, t: float, d: str, era: int | None) -> None:
        """
        Add one point, at *t* or just after the newest; right with and without a transaction around it.

        A time before 1970 is not above the newest either: a server would put its own clock there.
        """
        end = self._ends.get(stream) or self._end(connection, stream)
        while True:
            at = t if t > end.last else later(end.last)
            row = (end.base + end.number + 1, at, d, era, stream, end.version)
            if at - t < _MOMENT:
                connection.execute(_APPEND, row)
            else:  # the clock was set back, and may turn out to be right
                connection.execute(_APPEND_STAMPED, (*row, t))
            if connection.changes():
                end.number += 1
                end.last = at
                return
            end = self._end(connection, stream)

    def append_many(
        self, connection: sqlite.Connection, stream: int, given: Sequence[tuple[float, str]], now: float, restamp: bool
    ) -> None:
        """
        Add points, which are sorted, with times of the user's; in a transaction.

        Those that are older than what was sent are set aside, or with *restamp* given the earliest times after that.
        """
        end = self._end(connection, stream)
        ((sent,),) = connection.execute("SELECT sent FROM stream WHERE id = ?", (stream,))
        old = [(t, d) for t, d in given if t < sent]
        restamped = len(old) if restamp else 0
        if restamped:
            given = [(max(t, sent), d) for t, d in given]
            old = []
        new: list[_Waiting] = [(t, d, None, None) for t, d in given if t >= sent]
        number = end.number
        if old:
            reason = f"older than {sent!r}, the time of a point that was sent before this one came"
            rows = ((end.base + number + n, t, d, reason, now) for n, (t, d) in enumerate(old, 1))
            connection.executemany("INSERT INTO rejected (id, t, d, reason, at) VALUES (?, ?, ?, ?, ?)", rows)
            number += len(old)
        behind: list[_Waiting] = []
        floor = end.last
        if new and new[0][0] <= end.last:
            behind = self._take_behind(connection, stream, max(sent, new[0][0]))
            floor = self._newest_time(connection, stream, sent)
            # a stable sort: those that came first stay first where times are equal
            new = sorted(behind + new, key=lambda point: point[0])
        times = in_order([t for t, *_ in new], floor)
        ids = range(end.base + number + 1, end.base + number + 1 + len(new))
        connection.executemany(
            "INSERT INTO point (id, t, d, era, stamp) VALUES (?, ?, ?, ?, ?)",
            ((id, t, *rest) for id, t, (_, *rest) in zip(ids, times, new, strict=True)),
        )
        number += len(new)
        last = max(end.last, times[-1]) if times else end.last
        if old or behind or restamped:
            connection.execute(
                "UPDATE stream SET aside = aside + ?, moved = moved + ?, restamped = restamped + ?, number = ?, last = ?, "
                "version = version + 1 WHERE id = ?",
                (len(old), len(behind), restamped, number, last, stream),
            )
            self._ends.pop(stream, None)
        else:
            end.number, end.last = number, last

    def _take_behind(self, connection: sqlite.Connection, stream: int, t: float) -> list[_Waiting]:
        """Take off the rows that are later than *t*, to be put back under new ids."""
        taken: list[_Waiting] = []
        first = 0
        query = "SELECT id, t, d, era, stamp FROM point WHERE id BETWEEN ? AND ? ORDER BY id DESC"
        for row in connection.execute(query, (stream << NUMBER_BITS, (stream << NUMBER_BITS) | _MASK)):
            if row[1] <= t:
                break
            first = row[0]
            taken.append(row[1:])
        if taken:
            connection.execute("DELETE FROM point WHERE id BETWEEN ? AND ?", (first, (stream << NUMBER_BITS) | _MASK))
        return taken[::-1]

    def _newest_time(self, connection: sqlite.Connection, stream: int, sent: float) -> float:
        for _, t in connection.execute(_NEWEST, _span(stream)):
            return max(float(t), sent)
        return sent

    def _end(self, connection: sqlite.Connection, stream: int) -> _End:
        query = "SELECT number, last, version FROM stream WHERE id = ?"
        ((number, last, version),) = connection.execute(query, (stream,))
        for id, t in connection.execute(_NEWEST, _span(stream)):
            number, last = max(number, id & _MASK), max(last, t)
        self._ends[stream] = end = _End(stream << NUMBER_BITS, number, last, version)
        return end

    def seal(self, connection: sqlite.Connection, stream: int) -> None:
        """Save the highest number and the last time, before rows go; what is remembered anywhere is out of date then."""
        end = self._end(connection, stream)
        connection.execute(
            "UPDATE stream SET number = ?, last = ?, version = version + 1 WHERE id = ?",
            (end.number, end.last, stream),
        )
        self._ends.pop(stream, None)


def _span(stream: int) -> tuple[int, int]:
    """Return the lowest and the highest id that a row of *stream* may have."""
    return stream << NUMBER_BITS, (stream << NUMBER_BITS) | _MASK
