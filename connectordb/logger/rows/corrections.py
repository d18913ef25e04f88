"""
Putting the times of waiting points right before they are noted. `judgement` says which clock is right, `arrangement` what follows.

A row's time is provisional until it is in a note. What the clock showed is kept beside it, and the right time is computed from
that, so doing it twice changes nothing. It is done for as many rows as are sent next, in one transaction; if nothing is wrong, it costs
one look at them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from itertools import takewhile
from math import inf
from typing import NamedTuple

from ...runtime import sqlite
from ...runtime.clock import Clock
from ..clocks import PLAUSIBLE, STEP, Arrangement, Bounds, Clocks, Era, Point, arrange, corrections, judge, room_below
from ..file import span, stream_of
from .cache_file import CacheFile
from .catalogue import time_known

log = logging.getLogger(__name__)

#: How many rows are looked at together: twice what one request takes, so that a batch need not end where they end.
TOGETHER = 10_000

#: Seconds until the server's time is written down again.
_SELDOM = 3600.0

#: If a time changes by so many seconds or more, it counts as corrected; by less, it was only moved to make room.
_WORTH_COUNTING = 1.0

#: The time that a row ought to have.
_RIGHT = "coalesce(stamp, t) + coalesce((SELECT corrected FROM era WHERE era.id = point.era), 0)"

#: Of a stream: the newest time, as saved; the id of the newest row; and the newest time before a row.
_ENDS = (
    "SELECT last, (SELECT max(id) FROM point WHERE id BETWEEN ?2 AND ?3), "
    "max(sent, coalesce((SELECT t FROM point WHERE id BETWEEN ?2 AND ?4 ORDER BY id DESC LIMIT 1), 0)) "
    "FROM stream WHERE id = ?1"
)

#: What one look tells about rows: about the first so many; or about all in a range, where the ends have the earliest and latest time.
_SEEN = (
    "SELECT count(*), max(id), min(t), max(t), count(stamp), min(era), max(era) "
    "FROM (SELECT * FROM point WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?)"
)
_SEEN_IN_RANGE = (
    "SELECT count(*), (SELECT max(id) FROM point WHERE id BETWEEN ?1 AND ?2), "
    "(SELECT t FROM point WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1), "
    "(SELECT t FROM point WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1), "
    "count(stamp), min(era), max(era) FROM point WHERE id BETWEEN ?1 AND ?2"
)


@dataclass(slots=True)
class Ready:
    """
    What was found out about the rows of a stream that come next.

    Attributes:
        upto: The id of the last row that may be sent now.
        waits: Why the row behind it may not be sent, if there is one.
        aside: Points that were set aside: reason → their ids.
        all_aside: Whether all rows that were looked at were set aside.
    """

    upto: int
    waits: str = ""
    aside: dict[str, list[int]] = field(default_factory=dict)
    all_aside: bool = False


class _Row(NamedTuple):
    id: int
    t: float
    era: int | None
    stamp: float | None

    @property
    def showed(self) -> float:
        """What the clock showed."""
        return self.t if self.stamp is None else self.stamp


class _Behind(NamedTuple):
    """
    What comes behind the rows that are looked at.

    Attributes:
        users: The first time that the user gave.
        between: How many ids are between these rows and that one.
        sure: The first time that is sure.
        due: The first time that is not in the future.
    """

    users: float = inf
    between: int = 0
    sure: float = inf
    due: float = inf


_NOTHING = _Behind()


class Corrections:
    """
    Puts times right, for one pass.

    Args:
        file: The cache file.
        clock: The clocks.
        server_time: Returns what the server's clock shows, reckoned from its last answer; called once there was an answer.
        restamp: Whether points get later times if those that the user gave are too old; otherwise they are set aside.
    """

    def __init__(
        self, file: CacheFile, clock: Clock, server_time: Callable[[], float | None], restamp: bool = False
    ) -> None:
        self._file = file
        self._clock = clock
        self._server_time = server_time
        self._restamp = restamp
        # what was judged: the seconds to be added to the times of each era, the newest era, and the eras that are sure; the right time,
        # and the latest one that may be sent
        self._judged = False
        self._added: dict[int, float] = {}
        self._newest_era = 0
        self._sure: set[int] = set()
        self._now = self._latest = inf
        # stream → what was found out about its rows so far
        self._ready: dict[int, Ready] = {}
        # stream and condition → the id behind which such a row was looked for, and the id and the time that were found
        self._found: dict[tuple[int, str], tuple[int, int, float]] = {}

    def ready(self, stream: int, first: int, upto: int) -> Ready:
        """
        Put the times of a stream's next rows right, from *first* on.

        Returns:
            Up to which row they may be noted: at most *upto*; an id below *first* if none may.
        """
        if not self._judged:
            self._judge()
        known = self._ready.get(stream)
        aside: dict[str, list[int]] = {}
        while known is None or (known.upto < upto and known.upto - first < TOGETHER // 2 and not known.waits):
            known = self._ready[stream] = self._look(stream, first if known is None else max(first, known.upto + 1))
            for reason, ids in known.aside.items():
                aside.setdefault(reason, []).extend(ids)
            if not known.all_aside:
                break
            first = known.upto + 1
        return Ready(min(known.upto, upto), known.waits if known.upto < upto else "", aside)

    # --- the clocks -----------------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        """Decide which clock is right, and write down what that means for the eras."""
        boot, boot_id = self._clock.boot, self._clock.boot_id()
        with self._file.reading() as connection:
            eras = [Era(*row) for row in connection.execute("SELECT id, boot, difference, corrected FROM era")]
            known = time_known(connection)
        counts = boot is not None and boot_id is not None
        up = boot() if boot is not None and counts else None
        clocks = Clocks(self._clock.wall(), self._server_time(), up, boot_id if counts else None, known)
        verdict = judge(clocks)
        changes = corrections(eras, clocks, verdict)
        said = verdict.server
        if changes or (said is not None and not known <= said < known + _SELDOM):
            self._file.write(lambda connection: _write_down(connection, changes, said))
        self._sure = {era.id for era in eras if era.boot == clocks.boot and verdict.now is not None}
        self._now, self._latest = inf if verdict.now is None else verdict.now, verdict.latest
        self._judged = True
        self._newest_era = max((era.id for era in eras), default=0)
        self._added = {era.id: changes.get(era.id, era.corrected) or 0.0 for era in eras}
        for id, added in changes.items():
            if added:
                log.warning("the clock of this machine was wrong: %+.1f s for the points of its era %d", added, id)

    # --- rows -----------------------------------------------------------------------------------------------------------

    def _look(self, stream: int, first: int) -> Ready:
        """Look at the next rows, and put their times right if that is needed."""
        base, end = span(stream)
        with self._file.reading() as connection:
            ((noted,),) = connection.execute("SELECT noted FROM stream WHERE id = ?", (stream,))
            begin = max(first, base + noted + 1)
            ((_, newest, floor),) = connection.execute(_ENDS, (stream, base, end, begin - 1))
            # takes half the time of a LIMIT, and is the same if there are no gaps between the ids
            seen = sqlite.first(connection, _SEEN_IN_RANGE, (begin, min(end, begin + TOGETHER - 1)))
            if seen is None or (seen[0] < TOGETHER and newest is not None and newest >= begin + TOGETHER):
                seen = sqlite.first(connection, _SEEN, (begin, end, TOGETHER))
        assert seen is not None
        count, last, lowest, highest, stamps, from_era, to_era = seen
        if not count:
            return Ready(end)
        if (to_era or 0) > self._newest_era:
            self._judge()  # an era has begun since the pass judged the clocks
        eras = range(from_era or 0, (to_era or 0) + 1)
        behind = self._behind(last, end) if count == TOGETHER else _NOTHING
        if (
            not stamps
            and floor < lowest
            and highest <= min(self._now + STEP, behind.sure)
            and eras.stop <= self._newest_era + 1
            and not any(self._added.get(era) for era in eras)
        ):
            return Ready(last if count == TOGETHER else end)
        return self._put_right(stream, begin, last if count == TOGETHER else end, behind)

    def _put_right(self, stream: int, begin: int, until: int, behind: _Behind) -> Ready:
        """Put the times of rows right, from the id *begin* up to *until*."""
        now, latest = self._now, self._latest
        base, end = span(stream)

        def work(connection: sqlite.Connection) -> Ready:
            rows = self._rows(connection, begin, until)
            if not rows:
                return Ready(until)
            ((last, newest, floor),) = connection.execute(_ENDS, (stream, base, end, begin - 1))
            whole = rows[-1].id == newest
            users = behind.users if behind.users == inf else room_below(behind.users, floor, len(rows), behind.between)
            bounds = Bounds(floor, now, latest, self._restamp, users, behind.sure, behind.due)
            done = arrange([self._ought(row) for row in rows], bounds)
            self._write(connection, stream, rows, done, floor if whole else None, last)
            return _ready(rows, done, end if whole else rows[-1].id)

        return self._file.write(work)

    def _write(
        self,
        connection: sqlite.Connection,
        stream: int,
        rows: list[_Row],
        done: Arrangement,
        floor: float | None,
        last: float,
    ) -> None:
        """
        Write down what becomes of rows.

        If they reach the end of the stream, *floor* is the newest time before them, and the stream's newest time is written, too;
        *last* is what it was.
        """
        changed = [(row, t) for row, t in zip(rows, done.times, strict=True) if t != row.t]
        newest = last
        if floor is not None:
            newest = max([floor, *(t for at, t in enumerate(done.times) if at not in done.aside)])
        if not changed and not done.aside and newest == last:
            return
        # so that whatever any process remembers of the stream's end is out of date
        self._file.tails.seal(connection, stream)
        connection.executemany(
            "UPDATE point SET t = ?, stamp = ? WHERE id = ?",
            ((t, None if row.era is None else row.showed, row.id) for row, t in changed),
        )
        ids = [(reason, self._clock.wall(), rows[at].id) for at, reason in done.aside.items()]
        connection.executemany("INSERT INTO rejected SELECT id, t, d, era, ?, ? FROM point WHERE id = ?", ids)
        connection.executemany("DELETE FROM point WHERE id = ?", ((id,) for _, _, id in ids))
        corrected = sum(_is_correction(row, t) for row, t in changed)
        moved = sum(row.era is None for row, _ in changed)
        connection.execute(
            "UPDATE stream SET corrected = corrected + ?1, aside = aside + ?2, restamped = restamped + ?3, "
            "shifted = shifted + ?4, last = ?5 WHERE id = ?6",
            (corrected, len(ids), moved * self._restamp, moved * (not self._restamp), newest, stream),
        )

    def _rows(self, connection: sqlite.Connection, first: int, last: int) -> list[_Row]:
        """Return rows, up to the first whose era was not judged, which has come just now."""
        query = "SELECT id, t, era, stamp FROM point WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
        with closing(connection.execute(query, (first, last, TOGETHER))) as found:
            return list(takewhile(lambda row: (row.era or 0) <= self._newest_era, (_Row(*row) for row in found)))

    def _ought(self, row: _Row) -> Point:
        if row.era is None:
            return Point(row.t, is_users=True)
        return Point(row.showed + self._added.get(row.era, 0.0), is_sure=row.era in self._sure)

    def _behind(self, id: int, end: int) -> _Behind:
        """Return what comes behind a row."""
        found, users = self._first_behind(id, end, "era IS NULL")
        sure = due = inf
        if self._sure:  # otherwise all rows would be looked at for nothing
            _, sure = self._first_behind(id, end, f"era IN ({', '.join(map(str, self._sure))})")
        with self._file.reading() as connection:
            ((t,),) = connection.execute(f"SELECT {_RIGHT} FROM point WHERE id = ?", (id,))
        if t > self._now + STEP:
            _, due = self._first_behind(id, end, f"{_RIGHT} BETWEEN {PLAUSIBLE!r} AND {self._latest!r}")
        return _Behind(users, found - id - 1, sure, due)

    def _first_behind(self, id: int, end: int, condition: str) -> tuple[int, float]:
        """Return id and time of the first row behind *id* that meets an SQL condition. It may take long, so the result is kept."""
        key = stream_of(id), condition
        since, found, t = self._found.get(key, (end, 0, inf))
        if not since <= id < found:
            query = f"SELECT id, {_RIGHT} FROM point WHERE id > ? AND id <= ? AND {condition} ORDER BY id LIMIT 1"
            with self._file.reading() as connection:
                found, t = sqlite.first(connection, query, (id, end)) or (end, inf)
            self._found[key] = (id, found, t)
        return found, t


def _is_correction(row: _Row, t: float) -> bool:
    """Tell whether a new time differs enough from what the clock showed to count as a correction."""
    return row.era is not None and abs(t - row.showed) >= _WORTH_COUNTING


def _ready(rows: list[_Row], done: Arrangement, end: int) -> Ready:
    aside: dict[str, list[int]] = {}
    for at in sorted(done.aside):
        aside.setdefault(done.aside[at], []).append(rows[at].id)
    if done.due == len(rows):
        return Ready(end, aside=aside, all_aside=len(done.aside) == len(rows))
    reason = (
        f"the time of the next point, {done.times[done.due]!r}, has not come; sent too early, it would have the server refuse "
        "all others until then"
    )
    return Ready(rows[done.due].id - 1, reason, aside)


def _write_down(connection: sqlite.Connection, changes: dict[int, float], said: float | None) -> None:
    connection.executemany("UPDATE era SET corrected = ? WHERE id = ?", ((c, id) for id, c in changes.items()))
    if said is not None:
        connection.execute("REPLACE INTO setting VALUES ('servertime', ?)", (repr(said),))
