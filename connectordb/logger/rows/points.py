"""The points that wait in a cache file, and how many there have been. Only SQL; the layout is in `upgrade`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...runtime import sqlite
from ..file import ACCEPTED, MASK, NEWEST, WAITING, base, span
from ..records import Columns, Ledger, Row
from ..times import later
from .bounds import Bounds
from .cache_file import CacheFile
from .dropping import pass_over
from .packing import Packed, pack, rows_in


class Points:
    """The points that wait."""

    def __init__(self, file: CacheFile, bounds: Bounds | None = None) -> None:
        self._file = file
        self._bounds = bounds

    def append(self, stream: int, t: float, d: str, era: int | None) -> tuple[int, float]:
        """Add one point, at *t* or, if that is not later, just after the stream's newest point; return its id and its time."""
        tails = self._file.tails
        self._file.reserve.take(len(d))
        if self._bounds is None:
            return self._file.write(
                lambda connection: tails.append(connection, stream, t, d, era), atomic=True, lasting=False
            )
        return self._bounds.add(
            lambda connection: tails.append(connection, stream, t, d, era),
            lambda connection: (pass_over(connection, tails, stream, 1), t),
            d,
            t,
        )

    def append_at(self, stream: int, t: float, d: str, now: float, restamp: bool = False) -> tuple[int, float, bool]:
        """Add one point with a time that the user gave, as `append_many`; return its id, its time, and whether it was set aside."""

        def add(connection: sqlite.Connection) -> tuple[int, float, bool]:
            added = self._file.tails.append_many(connection, stream, Columns([t], [d]), now, restamp)
            return added.ids[0], added.times[0], bool(added.aside)

        self._file.reserve.take(len(d))
        if self._bounds is None:
            return self._file.write(add, lasting=False)

        def drop(connection: sqlite.Connection) -> tuple[int, float, bool]:
            return pass_over(connection, self._file.tails, stream, 1), t, False

        return self._bounds.add(add, drop, d, now, atomic=False)

    def append_many(
        self, points: Mapping[int, Sequence[tuple[float, str]]], now: float, restamp: bool = False
    ) -> list[int]:
        """
        Add points with times that the user gave, stream by stream; all of them or none. Return the ids of those set aside.

        A point that is earlier than waiting points is sorted in among them. One that is earlier than what was already sent is set
        aside, as of *now*, or with *restamp* given the earliest time after that. One that has the time of another is moved by the
        smallest step.
        """
        ordered = {stream: Columns.of(given) for stream, given in points.items()}

        def work(connection: sqlite.Connection) -> list[int]:
            if self._bounds is None:
                return add(connection, ordered)
            fitting, others = self._bounds.split(connection, ordered, now)
            aside = add(connection, fitting)
            for stream, number in others.items():
                pass_over(connection, self._file.tails, stream, number)
            self._bounds.settle(connection, now)
            return aside

        def add(connection: sqlite.Connection, points: Mapping[int, Sequence[tuple[float, str]]]) -> list[int]:
            aside: list[int] = []
            for stream, given in points.items():
                added = self._file.tails.append_many(connection, stream, Columns.of(given), now, restamp)
                aside += added.ids[: added.aside]
            return aside

        self._file.reserve.take(sum(len(d) for columns in ordered.values() for d in columns.texts))
        return self._file.write(work, lasting=False)

    def waiting(self) -> int:
        """Return how many points wait, in all streams."""
        with self._file.reading() as connection:
            ((waiting,),) = connection.execute(f"SELECT coalesce(sum({WAITING}), 0) FROM stream s", (MASK,))
            return int(waiting)

    def ledgers(self) -> list[Ledger]:
        """Return what became of the points of each stream."""
        query = (
            f"SELECT s.name, {ACCEPTED}, {WAITING}, s.confirmed, s.aside, s.dropped, s.lost FROM stream s ORDER BY s.id"
        )
        with self._file.reading() as connection:
            return [Ledger(*row) for row in connection.execute(query, (MASK,))]

    def newest(self) -> dict[int, int]:
        """Return the id of the newest waiting row of each stream that has one."""
        query = f"SELECT s.id, {NEWEST} FROM stream s ORDER BY s.id"
        with self._file.reading() as connection:
            rows = list(connection.execute(query, (MASK,)))
        return {stream: base(stream) + number for stream, number in rows if number}

    def rows(self, first: int, last: int, limit: int, size: int, at_least: int = 1) -> list[Row]:
        """Return waiting rows from id *first* to *last*: at most *limit*, and about *size* bytes, but *at_least* that many."""
        with self._file.reading() as connection:
            return rows_in(connection, first, last, limit, size, at_least)

    def packed(self, first: int, last: int, limit: int) -> Packed | None:
        """Return waiting rows from id *first* to *last*, at most *limit*, in the form in which they are sent."""
        with self._file.reading() as connection:
            return pack(connection, first, last, limit)

    def spread(self, stream: int) -> None:
        """Give waiting rows with equal times different ones, each the next larger; only rows of a 0.3.5 file have equal times."""
        with self._file.reading() as connection:
            query = (
                "SELECT 1 FROM (SELECT t, lag(t) OVER (ORDER BY id) AS before FROM point WHERE id BETWEEN ? AND ?) "
                "WHERE t <= before LIMIT 1"
            )
            if not list(connection.execute(query, span(stream))):
                return

        def work(connection: sqlite.Connection) -> None:
            self._file.tails.seal(connection, stream)
            last, moves = 0.0, []
            query = "SELECT id, t FROM point WHERE id BETWEEN ? AND ? ORDER BY id"
            for id, t in connection.execute(query, span(stream)):
                if t <= last:
                    t = later(last)
                    moves.append((t, id))
                last = t
            connection.executemany("UPDATE point SET t = ? WHERE id = ?", moves)
            connection.execute("UPDATE stream SET last = max(last, ?) WHERE id = ?", (last, stream))

        self._file.write(work)
