"""
What became of ids that are gone without having been confirmed: dropped, or replaced by other ids. Only SQL; the layout is in `upgrade`.

The ids of an entry lie at equal distances, so that one entry can say that every fourth of a million points was dropped.
Each id is in one entry at most. Everything here is part of the transaction in which the rows go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...runtime import sqlite
from ..file import base, span, stream_of

#: A new entry is joined to an earlier one, if possible; this many entries before it, in the order of their first ids, are tried.
_NEAR = 64

#: Ids, and the first of the ids that these points have now; ``None`` if they were dropped.
_Entry = tuple[range, "int | None"]


def dropped(connection: sqlite.Connection, ids: Sequence[int]) -> None:
    """Note that points of one stream were dropped; their *ids* increase."""
    for run in runs(ids):
        _write(connection, run, None)


def thinned(connection: sqlite.Connection, ids: Sequence[int]) -> None:
    """Note that points were dropped by thinning: those between multiples of a power of two, so that few entries say it all."""
    classes: dict[int, list[int]] = {}
    for id in ids:
        classes.setdefault(id & -id, []).append(id)
    for _, of_class in sorted(classes.items()):
        dropped(connection, of_class)


def dropped_rows(connection: sqlite.Connection, first: int, last: int) -> int:
    """Note that the rows from id *first* to *last*, which are still there, are dropped; return how many those are."""
    query = "SELECT min(id), max(id), count(*) FROM point WHERE id BETWEEN ? AND ?"
    ((lowest, highest, count),) = connection.execute(query, (first, last))
    if count and count == highest - lowest + 1:
        _write(connection, range(lowest, highest + 1), None)
    elif count:  # some in between were confirmed, or set aside
        query = "SELECT id FROM point WHERE id BETWEEN ? AND ? ORDER BY id"
        dropped(connection, [id for (id,) in connection.execute(query, (first, last))])
    return int(count)


def moved(connection: sqlite.Connection, ids: Sequence[int], now: Sequence[int]) -> None:
    """Note that points of one stream have other ids *now*; both *ids* and the new ones increase."""
    at = 0
    while at < len(ids):
        count = 1  # how many new ids follow each other without a gap
        while at + count < len(ids) and now[at + count] == now[at] + count:
            count += 1
        target = now[at]
        for run in runs(ids[at : at + count]):
            _write(connection, run, target)
            target += len(run)
        at += count


def trace(connection: sqlite.Connection, id: int) -> int | None:
    """Return the present id of the point that once had *id*; ``None`` if it was dropped."""
    query = (
        "SELECT now + (?1 - first) / step FROM fate WHERE first BETWEEN ?2 AND ?1 AND last >= ?1 "
        "AND (?1 - first) % step = 0 ORDER BY first DESC LIMIT 1"
    )
    while found := connection.execute(query, (id, base(stream_of(id)))).fetchall():
        ((now,),) = found
        if now is None:
            return None
        id = int(now)
    return id


def runs(ids: Sequence[int]) -> Iterator[range]:
    """Yield *ids*, which increase, as runs at equal distances."""
    at = 0
    while at < len(ids):
        end = at + 1
        step = ids[end] - ids[at] if end < len(ids) else 1
        while end < len(ids) and ids[end] - ids[end - 1] == step:
            end += 1
        yield range(ids[at], ids[end - 1] + 1, step)
        at = end


def _write(connection: sqlite.Connection, ids: range, now: int | None) -> None:
    entry: _Entry = (ids, now)
    lowest, highest = span(stream_of(ids[0]))
    near = _entries(connection, lowest, ids[0] - 1, f"DESC LIMIT {_NEAR}")
    for before in sorted(near, key=lambda entry: len(entry[0]) == 1):  # single ids last: these join with anything
        joined = _joined(before, entry)
        if joined is not None:
            entry = joined
            break
    for behind in _entries(connection, ids[-1] + 1, highest, "LIMIT 1"):
        joined = _joined(entry, behind)
        if joined is not None:
            entry = joined
            connection.execute("DELETE FROM fate WHERE first = ?", (behind[0][0],))
    ids, now = entry
    connection.execute("REPLACE INTO fate VALUES (?, ?, ?, ?)", (ids[0], ids[-1], ids.step, now))


def _entries(connection: sqlite.Connection, lowest: int, highest: int, order: str) -> list[_Entry]:
    query = f"SELECT first, last, step, now FROM fate WHERE first BETWEEN ? AND ? ORDER BY first {order}"
    rows: Iterable[Any] = connection.execute(query, (lowest, highest))
    return [(range(first, last + 1, step), now) for first, last, step, now in rows]


def _joined(one: _Entry, two: _Entry) -> _Entry | None:
    """Return two entries as one, if the second continues the first."""
    (ids, now), (more, target) = one, two
    if (now is None) != (target is None) or (now is not None and now + len(ids) != target):
        return None
    step = more[0] - ids[-1]
    if step <= 0 or (len(ids) > 1 and ids.step != step) or (len(more) > 1 and more.step != step):
        return None
    return range(ids[0], more[-1] + 1, step), now
