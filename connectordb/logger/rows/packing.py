"""
Rows in the form in which they are sent: one JSON array, made by SQLite.

Making five thousand rows into text by one statement is four times as fast as by a loop in Python.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from ...runtime import sqlite
from ..records import Row

#: With 17 digits every float can be read back exactly; ``!`` leaves out trailing zeros.
_PACK = (
    "SELECT count, octet_length(text), text FROM (SELECT count(*) AS count, "
    """group_concat(printf('{"t":%!.17g,"d":%s}', t, d), ',') AS text """
    "FROM point WHERE id BETWEEN ? AND ?)"
)
#: The id of the last of so many rows; the first row; the newest row.
_LAST_OF = "SELECT max(id) FROM (SELECT id FROM point WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?)"
_FIRST = "SELECT id, t FROM point WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1"
_NEWEST = "SELECT id, t FROM point WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Packed:
    """
    Rows that are sent together.

    Attributes:
        count: How many rows.
        first: The id of the first.
        last: The id of the last.
        begins: The time of the first.
        ends: The time of the last.
        text: The body of the insert.
    """

    count: int
    first: int
    last: int
    begins: float
    ends: float
    text: str


def pack(
    connection: sqlite.Connection, first: int, last: int, limit: int, size: int = 2**62, at_least: int = 1
) -> Packed | None:
    """
    Pack the rows from id *first* to *last*, if there are any.

    Args:
        connection: The file.
        first: The lowest id.
        last: The highest id.
        limit: At most this many rows.
        size: At most this many bytes, more or less.
        at_least: This many rows, whatever their size.
    """
    # if there are no gaps between the ids, this range has exactly *limit* rows, and is a third faster than a LIMIT
    end = min(last, first + limit - 1)
    row = sqlite.first_within(connection, size, _PACK, (first, end))
    if row is not None and row[0] < limit and end < last:
        ((found,),) = connection.execute(_LAST_OF, (first, last, limit))
        if found is None:
            return None
        if found > end:
            end = found
            row = sqlite.first_within(connection, size, _PACK, (first, end))
    # `rows_in` counts more bytes for a row than its text has, so where this text is too long, it returns fewer rows
    if row is None or (row[1] or 0) > size:
        end = rows_in(connection, first, last, limit, size, at_least)[-1].id
        row = sqlite.first(connection, _PACK, (first, end))
    oldest, newest = (sqlite.first(connection, query, (first, end)) for query in (_FIRST, _NEWEST))
    if row is None or oldest is None or newest is None:
        return None
    return Packed(row[0], oldest[0], newest[0], oldest[1], newest[1], f"[{row[2]}]")


def rows_in(connection: sqlite.Connection, first: int, last: int, limit: int, size: int, at_least: int) -> list[Row]:
    """Return the rows themselves; the arguments are those of `pack`."""
    rows: list[Row] = []
    bytes_so_far = 0
    query = "SELECT id, t, d FROM point WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
    with closing(connection.execute(query, (first, last, limit))) as found:
        for row in found:
            bytes_so_far += 40 + len(row[2])
            if bytes_so_far > size and len(rows) >= at_least:
                break
            rows.append(Row(*row))
    return rows
