"""
Giving points up: which ones may go, and taking them off, so that this is counted and remembered. Only SQL.

A row in a note may be on the server, and a held row is: neither is touched. Everything here runs in the transaction of
the caller, who has the turn at the writing connection (`commits`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from ...runtime import sqlite
from ..clocks import PLAUSIBLE
from ..file import MASK, NUMBER_BITS, WAITING, base, stream_of
from . import aside, fate
from .tails import Tails


class Span(NamedTuple):
    """The rows of a stream that may go: the lowest and the highest id that they can have; and how many rows wait."""

    stream: int
    first: int
    last: int
    waiting: int


class Age(NamedTuple):
    """
    Which points are too old.

    Attributes:
        before: Those with a time before this.
        boot: The id of the machine's present start.
        up: For points of the same start: those that came before the boot clock showed this. Nobody can set that clock.
    """

    before: float
    boot: str | None
    up: float


def spans(connection: sqlite.Connection) -> list[Span]:
    """Return, for each stream, which rows may go."""
    query = (
        f"SELECT s.id, max((s.id << {NUMBER_BITS}) + s.held, coalesce(n.last, 0)) + 1, (s.id << {NUMBER_BITS}) + ?1, {WAITING} "
        "FROM stream s LEFT JOIN note n ON n.stream = s.id ORDER BY s.id"
    )
    rows: Iterable[Any] = connection.execute(query, (MASK,))
    return [Span(*row) for row in rows]


def count(connection: sqlite.Connection) -> int:
    """Return how many points wait or are set aside."""
    query = f"SELECT coalesce(sum({WAITING} + s.aside), 0) FROM stream s"
    ((number,),) = connection.execute(query, (MASK,))
    return int(number)


def used(connection: sqlite.Connection) -> int:
    """Return how many bytes of the file are in use; it only grows once the others are used as well."""
    pages = int(connection.pragma("page_count")) - int(connection.pragma("freelist_count"))
    return pages * int(connection.pragma("page_size"))


def pass_over(connection: sqlite.Connection, tails: Tails, stream: int, number: int) -> int:
    """Count *number* new points of *stream* as accepted and dropped; return the first one's id."""
    tails.seal(connection, stream)
    ((newest,),) = connection.execute("SELECT number FROM stream WHERE id = ?", (stream,))
    first = base(stream) + int(newest) + 1
    fate.dropped(connection, range(first, first + number))
    connection.execute("UPDATE stream SET number = number + ?1, dropped = dropped + ?1 WHERE id = ?2", (number, stream))
    return first


def oldest(connection: sqlite.Connection, tails: Tails, number: int) -> int:
    """Drop the *number* oldest points that wait; return how many there were."""
    heads = []
    for span in spans(connection):
        query = "SELECT t, id FROM point WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
        heads.append(connection.execute(query, (span.first, span.last, number)).fetchall())
    ids: dict[int, list[int]] = {}
    chosen: Iterable[Any] = islice(merge(*heads, key=itemgetter(0)), number)
    for _, id in chosen:
        ids.setdefault(stream_of(id), []).append(id)
    return sum(drop(connection, tails, stream, of_stream) for stream, of_stream in ids.items())


def rejected(connection: sqlite.Connection, number: int) -> int:
    """Drop *number* points that were set aside, those with the lowest ids first; return how many there were."""
    query = "SELECT id FROM rejected ORDER BY id LIMIT ?"
    return _drop_rejected(connection, [id for (id,) in connection.execute(query, (number,))])


def rejected_before(connection: sqlite.Connection, age: Age) -> int:
    """Drop points that were set aside and are too old; return how many there were."""
    query = "SELECT id FROM rejected WHERE t >= ? AND t < ? ORDER BY id"
    return _drop_rejected(connection, [id for (id,) in connection.execute(query, (PLAUSIBLE, age.before))])


def before(connection: sqlite.Connection, tails: Tails, age: Age, number: int) -> int:
    """Drop at most *number* waiting points that are too old; return how many there were."""
    query = (
        "SELECT p.id, CASE WHEN e.boot = ?3 THEN coalesce(p.stamp, p.t) - e.difference < ?4 "
        "WHEN p.t >= ?6 THEN p.t < ?5 END FROM point p LEFT JOIN era e ON e.id = p.era "
        "WHERE p.id BETWEEN ?1 AND ?2 ORDER BY p.id"
    )
    gone = 0
    for span in spans(connection):
        ids: list[int] = []
        values = (span.first, span.last, age.boot, age.up, age.before, PLAUSIBLE)
        # closed in any case: a statement that has not come to its end keeps its view of the file
        with closing(connection.execute(query, values)) as rows:
            for id, is_old in rows:  # in order of time, but for points whose age is not known
                if is_old:
                    ids.append(id)
                if is_old == 0 or gone + len(ids) >= number:
                    break
        gone += drop(connection, tails, span.stream, ids)
    return gone


def drop(connection: sqlite.Connection, tails: Tails, stream: int, ids: Sequence[int], thinned: bool = False) -> int:
    """Drop rows of *stream* by their *ids*, which increase; return how many those are. *thinned*: as in `fate.thinned`."""
    if ids:
        tails.seal(connection, stream)
        (fate.thinned if thinned else fate.dropped)(connection, ids)
        if ids[-1] - ids[0] + 1 == len(ids):
            connection.execute("DELETE FROM point WHERE id BETWEEN ? AND ?", (ids[0], ids[-1]))
        else:
            connection.executemany("DELETE FROM point WHERE id = ?", [(id,) for id in ids])
        connection.execute("UPDATE stream SET dropped = dropped + ? WHERE id = ?", (len(ids), stream))
    return len(ids)


def _drop_rejected(connection: sqlite.Connection, ids: Sequence[int]) -> int:
    streams: dict[int, list[int]] = {}
    for id in ids:
        streams.setdefault(stream_of(id), []).append(id)
    for stream, of_stream in streams.items():
        aside.drop_rows(connection, stream, of_stream)
    return len(ids)
