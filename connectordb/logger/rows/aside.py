"""The points that were set aside, and what may be done about them. Only SQL; the layout is in `upgrade`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from ...exceptions import LoggerError
from ...protocol import json_text
from ...runtime import sqlite
from ..file import NUMBER_BITS, stream_of
from ..records import Columns, Rejected
from . import fate
from .cache_file import CacheFile

log = logging.getLogger(__name__)

#: How many ids an error names at most.
_NAMED = 5

#: A row that was set aside: time, value, id.
_Row = tuple[float, str, int]


class Aside:
    """
    The points that were set aside.

    Attributes:
        listener: Called with the ids of points just after they were set aside.
    """

    def __init__(self, file: CacheFile) -> None:
        self._file = file
        self.listener: Callable[[Sequence[int]], object] | None = None

    def points(self, ids: Iterable[int] | None = None, stream: str | None = None) -> list[Rejected]:
        """Return the points that were set aside, oldest first: all, or those with *ids* or of *stream*."""
        where, values = _chosen(ids, stream)
        query = (
            f"SELECT r.id, s.name, r.t, r.d, r.reason, r.at FROM rejected r JOIN stream s ON s.id = r.id >> {NUMBER_BITS} "
            f"WHERE {where} ORDER BY r.at, r.id"
        )
        with self._file.reading() as connection:
            rows = list(connection.execute(query, values))
        return [Rejected(id, name, t, _value(d), reason, at) for id, name, t, d, reason, at in rows]

    def tell(self, ids: Sequence[int]) -> None:
        """Tell the listener that points were set aside; what it raises is logged."""
        if self.listener is None or not ids:
            return
        try:
            self.listener(ids)
        except Exception:
            log.exception("onreject of the Logger failed")

    def drop(self, ids: Sequence[int] | None = None, stream: str | None = None) -> int:
        """
        Drop points that were set aside, and return how many: all, or those with *ids* or of *stream*.

        Raises:
            LoggerError: An id is not that of a point set aside.
        """

        def work(connection: sqlite.Connection) -> int:
            rows = _rows(connection, ids, stream)
            for number, group in groupby(rows, lambda row: stream_of(row[2])):
                drop_rows(connection, number, [row[2] for row in group])
            return len(rows)

        return self._file.write(work)

    def retry(self, ids: Sequence[int] | None = None, stream: str | None = None, restamp: bool = False) -> int:
        """
        Make points that were set aside wait again, under new ids, and return how many: all, or those with *ids* or of *stream*.

        Args:
            ids: As in `drop`.
            stream: As in `drop`.
            restamp: Give points that are older than what was sent the earliest times that can be stored.

        Raises:
            LoggerError: As `drop`; or a point is older than what was sent, without *restamp*; or its value is not JSON. All of them
                stay where they are.
        """

        def work(connection: sqlite.Connection) -> int:
            rows = _rows(connection, ids, stream)
            for number, group in groupby(rows, lambda row: stream_of(row[2])):
                self._retry(connection, number, list(group), restamp)
            return len(rows)

        return self._file.write(work)

    def _retry(self, connection: sqlite.Connection, stream: int, rows: list[_Row], restamp: bool) -> None:
        ((name, sent),) = connection.execute("SELECT name, sent FROM stream WHERE id = ?", (stream,))
        broken = [id for _, d, id in rows if not _is_json(d)]
        if broken:
            raise LoggerError(
                f"{_listed(broken, name)} hold what is no JSON, which no server takes; drop_rejected() drops them"
            )
        old = [row for row in rows if row[0] < sent or row[0] <= 0]
        if old and not restamp:
            raise LoggerError(
                f"{_listed([row[2] for row in old], name)} are older than {sent!r}, the time of a point that was sent, "
                "and a server refuses what is older: restamp=True gives them the earliest times allowed, "
                "drop_rejected() drops them"
            )
        rows.sort()
        # as if the user had given these times: they are not corrected any more, whatever is found out about the clock
        given = Columns([t for t, _, _ in rows], [d for _, d, _ in rows])
        now = self._file.tails.append_many(connection, stream, given, 0.0, restamp=True).ids
        moves = sorted(zip((id for _, _, id in rows), now, strict=True))
        fate.moved(connection, [id for id, _ in moves], [now for _, now in moves])
        _take_off(connection, [id for id, _ in moves])
        connection.execute(
            "UPDATE stream SET aside = aside - ?1, moved = moved + ?1 WHERE id = ?2", (len(rows), stream)
        )


def drop_rows(connection: sqlite.Connection, stream: int, ids: Sequence[int]) -> None:
    """Drop points of *stream* that were set aside; to be called in a transaction."""
    fate.dropped(connection, sorted(ids))
    _take_off(connection, ids)
    connection.execute("UPDATE stream SET aside = aside - ?1, dropped = dropped + ?1 WHERE id = ?2", (len(ids), stream))


def _take_off(connection: sqlite.Connection, ids: Sequence[int]) -> None:
    connection.executemany("DELETE FROM rejected WHERE id = ?", [(id,) for id in ids])


def _chosen(ids: Iterable[int] | None, stream: str | None) -> tuple[str, dict[str, Any]]:
    """Return an SQL condition on rows of ``rejected r``, and its values."""
    conditions, values = ["true"], {}
    if ids is not None:
        conditions.append("r.id IN (SELECT value FROM json_each(:ids))")
        values["ids"] = json_text.dumps(list(ids)).decode()
    if stream is not None:
        conditions.append(f"r.id >> {NUMBER_BITS} = (SELECT id FROM stream WHERE name = :stream)")
        values["stream"] = stream
    return " AND ".join(conditions), values


def _rows(connection: sqlite.Connection, ids: Sequence[int] | None, stream: str | None) -> list[_Row]:
    """
    Return rows that were set aside, in order of their ids.

    Raises:
        LoggerError: One is missing.
    """
    where, values = _chosen(ids, stream)
    rows = list(connection.execute(f"SELECT r.t, r.d, r.id FROM rejected r WHERE {where} ORDER BY r.id", values))
    missing = set(ids or ()) - {row[2] for row in rows}
    if missing:
        raise LoggerError(
            f"{_listed(sorted(missing), stream)} are not set aside, or not any more; rejected() tells which are"
        )
    return rows


def _listed(ids: Sequence[int], stream: str | None) -> str:
    """Return *ids* in words, naming only the first few."""
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"the points {', '.join(map(str, ids[:_NAMED]))}{more}{'' if stream is None else f' of {stream!r}'}"


def _is_json(d: str) -> bool:
    try:
        json_text.loads(d)
    except ValueError:
        return False
    return True


def _value(d: str) -> Any:
    try:
        return json_text.loads(d)
    except ValueError:
        return d  # that may be why it was set aside
