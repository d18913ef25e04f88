"""
Thinning a stream: points are dropped so that the rest covers its time evenly. Only SQL.

Dropping every second row again and again would make the old part ever thinner, as each round would halve it once more. So a
stream has a level: up to the row that thinning has reached, only rows whose number is a multiple of 2 ** level remain. What was added
since is first brought to the same level. Only when there is little left of that does a round with the next level begin, at the oldest
row. One call drops only some rows, so that no insert has to wait for a million.
"""

from __future__ import annotations

from ...runtime import sqlite
from ..file import NUMBER_BITS, base, number_of
from .dropping import Span, drop, spans
from .tails import Tails

#: How many rows are looked at in one go.
_SLICE = 2000

#: One in so many of the waiting rows, the newest, are left alone; if fewer than that remain to be thinned, the round is over.
_FRESH = 8


def thin(connection: sqlite.Connection, tails: Tails, levels: int) -> int:
    """
    Drop waiting rows of the stream that has the most of them; return how many.

    Args:
        connection: The writing connection, in a transaction.
        tails: The ends of the streams.
        levels: By how many levels a new round goes up: pages only become free if more than half of their rows go.
    """
    fullest = max(spans(connection), key=lambda span: span.waiting, default=None)
    if fullest is None:
        return 0
    query = "SELECT max(id) FROM point WHERE id BETWEEN ? AND ?"
    ((newest,),) = connection.execute(query, (fullest.first, fullest.last))
    if newest is None:
        return 0
    return _thin(connection, tails, fullest, int(newest), levels)


def _thin(connection: sqlite.Connection, tails: Tails, span: Span, newest: int, levels: int) -> int:
    ((level, thinned),) = connection.execute("SELECT level, thinned FROM stream WHERE id = ?", (span.stream,))
    at = base(span.stream) + thinned
    if not connection.execute("SELECT 1 FROM point WHERE id BETWEEN ? AND ? LIMIT 1", (span.first, at)).fetchall():
        level = 0  # no row is left of what was thinned before
    fresh = max(span.waiting // _FRESH, 1)
    end = newest - fresh
    dropped: list[int] = []
    while not dropped:
        if not level or end - at <= fresh:
            level, at = level + levels, span.first - 1
            if level >= NUMBER_BITS:  # one row is left, or none
                level = 0
                break
        query = "SELECT id FROM point WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
        ids = [id for (id,) in connection.execute(query, (at, end, _SLICE))]
        dropped = [id for id in ids if id & ((1 << level) - 1)]
        at = ids[-1] if len(ids) == _SLICE else end
    drop(connection, tails, span.stream, dropped, thinned=True)
    connection.execute("UPDATE stream SET level = ?, thinned = ? WHERE id = ?", (level, number_of(at), span.stream))
    return len(dropped)
