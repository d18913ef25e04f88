"""
The points of every series, in chunks, in the tables of one connection.

The chunks of a series follow each other without gaps. The last one is open for appends, a few before it are closed but still
plain, and all others are packed. Each question is answered from one or two chunks, which are found by their key.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from math import isfinite, isnan
from typing import Any

from ...exceptions import StorageError
from ...protocol.constants import RESTAMP_STEP
from ...protocol.points import Batch, Datapoint
from ...runtime.sqlite import Connection
from .appends import INDEX_BITS, MOST_POINTS, MOST_SERIES, Appends, Tail
from .chunks import NUMBERS, OPEN_BYTES, OPEN_POINTS, Chunk, count_until, cut, join, part_of
from .contract import Inserted, Older, Series
from .packs import pack, regroup, unpack, unpack_at


class Points:
    """
    The points in a file. Methods that change something need a transaction.

    Args:
        connection: The connection to the file.
        appends: For a writer: what is to be written at the end of the transaction.
    """

    def __init__(self, connection: Connection, appends: Appends | None = None) -> None:
        self._connection = connection
        self._appends = appends

    def length(self, series: Series) -> int:
        """Return the number of points."""
        tail = self._tail(_number(series))
        return tail.length if tail else 0

    def newest(self, series: Series) -> float | None:
        """Return the time of the newest point."""
        tail = self._tail(_number(series))
        return tail.last_time if tail else None

    def size(self, series: Series) -> int:
        """Return the bytes of the points' text, before any compression."""
        tail = self._tail(_number(series))
        return tail.before + tail.size if tail else 0

    def index_after(self, series: Series, t: float) -> int:
        """Return the index of the first point later than *t*; the length if there is none."""
        self._settle()
        # the last chunk that begins at t or earlier: the answer is in it, or is the index after it
        row = self._connection.execute(
            "SELECT id, number, last_time FROM chunks WHERE series = ? AND first_time <= ?"
            " ORDER BY first_time DESC, id DESC LIMIT 1",
            (_number(series), t),
        ).fetchone()
        if row is None:
            return 0
        key, number, last_time = row
        first: int = key & (MOST_POINTS - 1)
        if last_time <= t:
            return first + int(number)
        ((packed, data),) = self._connection.execute("SELECT packed, data FROM chunks WHERE id = ?", (key,))
        if packed:
            with _damage(series, first):
                before, number, data = unpack_at(data, number, t)
            first += before
        return first + count_until(data, number, t)

    def text(self, series: Series, first: int, last: int, budget: int) -> tuple[bytes, int]:
        """Return the points from index *first* to before *last* as text, and the index of the next point."""
        self._settle()
        # a larger index would not fit into a key, and would run into the next series
        first, last = max(first, 0), min(last, MOST_POINTS)
        found: list[bytes] = []
        at, size = first, 0
        if first < last:
            # closed at once: if an error's traceback kept the statement open, SQLite's log could not be cut back
            with closing(self._rows_from(_number(series), first, last)) as rows:
                for begin, number, packed, data in rows:
                    if begin + number <= first:
                        break  # the series ends before *first*
                    after = min(begin + number, last)
                    if packed:
                        with _damage(series, begin):
                            before, number, data = unpack(data, number, at - begin, last - begin)
                        begin += before
                    part = part_of(data, number, at - begin, last - begin)
                    found.append(part)
                    at = after
                    size += len(part) + 1
                    if size >= budget:
                        break
        return b",".join(found), at

    def _rows_from(self, number: int, first: int, last: int) -> Generator[tuple[int, int, int, bytes], None, None]:
        """Yield the chunks that hold the points from *first* to before *last*; perhaps also the chunk before them."""
        base = number << INDEX_BITS
        rows = self._connection.execute(
            "SELECT id - :base, number, packed, data FROM chunks WHERE id >= "
            "(SELECT max(id) FROM chunks WHERE id BETWEEN :base AND :first) AND id < :last ORDER BY id",
            {"base": base, "first": base + first, "last": base + last},
        )
        try:
            yield from rows
        finally:
            rows.close()

    def _changing(self, number: int) -> None:
        """Note that chunks of a series are about to be changed."""
        self._settle()
        if self._appends is not None:
            self._appends.forget(number)

    def _settle(self) -> None:
        """Write what was appended to the file, with a savepoint for what follows."""
        if self._appends is not None:
            self._appends.settle()

    def _tail(self, number: int) -> Tail | None:
        tail = self._appends.tail(number) if self._appends is not None else None
        if tail is not None:
            return tail
        base = number << INDEX_BITS
        row = self._connection.execute(
            "SELECT id, number, last_time, before, length(data) FROM chunks WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
            (base, base + MOST_POINTS - 1),
        ).fetchone()
        if row is None:
            return None
        tail = Tail(*row)
        if self._appends is not None:
            self._appends.know(number, tail)
        return tail

    def clear(self, series: Series) -> None:
        """Remove all points of a series."""
        self._changing(_number(series))
        base = _number(series) << INDEX_BITS
        self._connection.execute("DELETE FROM chunks WHERE id BETWEEN ? AND ?", (base, base + MOST_POINTS - 1))

    def drop(self, series: Series, most: int) -> int:
        """
        Remove all points of a series that is never used again: *most* chunks now, the others by `sweep`.

        Returns:
            How many chunks were removed.
        """
        number = _number(series)
        self._changing(number)
        removed, all = self._remove_some(number, most)
        if not all:
            self._connection.execute("INSERT OR IGNORE INTO deleted_series VALUES (?)", (number,))
        return removed

    def sweep(self, most: int) -> bool:
        """Remove at most *most* chunks that `drop` has left; return whether there were any."""
        self._settle()
        rows: list[Any] = self._connection.execute("SELECT series FROM deleted_series LIMIT ?", (most,)).fetchall()
        for (number,) in rows:
            removed, all = self._remove_some(int(number), most)
            if not all:
                break
            self._connection.execute("DELETE FROM deleted_series WHERE series = ?", (number,))
            most -= removed
        return bool(rows)

    def _remove_some(self, number: int, most: int) -> tuple[int, bool]:
        """Remove at most *most* chunks from the end of a series; return how many, and whether these were all."""
        # from the end, so that there is no gap in what is left, and a reader that compares lengths notices the change
        base = number << INDEX_BITS
        row = self._connection.execute(
            "SELECT id FROM chunks WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1 OFFSET ?",
            (base, base + MOST_POINTS - 1, most),
        ).fetchone()
        begin = base if row is None else row[0] + 1
        self._connection.execute("DELETE FROM chunks WHERE id BETWEEN ? AND ?", (begin, base + MOST_POINTS - 1))
        return int(self._connection.changes()), row is None

    def insert(self, series: Series, points: Sequence[Datapoint], restamp: bool) -> Inserted:
        """Append points, as the contract describes it."""
        number = _number(series)
        tail = self._tail(number)
        first = tail.length if tail else 0
        if not points:
            return Inserted(first, [], b"")
        if first + len(points) > MOST_POINTS:
            raise StorageError(f"a stream holds {MOST_POINTS} points at most; go on in another one")
        newest = tail.last_time if tail else 0.0
        given = points.times if isinstance(points, Batch) else [float(point["t"]) for point in points]
        times = _stamped(given, newest, restamp)
        # numbers at their own times can be written all at once; others are looked at one by one
        numbers = points if isinstance(points, Batch) and points.kinds <= NUMBERS and given[0] >= newest else None
        if tail:
            pieces = cut(points, times, max(OPEN_POINTS - tail.number, 0), max(OPEN_BYTES - tail.size - 1, 0), numbers)
        else:
            pieces = cut(points, times, OPEN_POINTS, OPEN_BYTES, numbers)
        cut_up = list(pieces)
        if tail and self._appends is not None and len(cut_up) == 1:
            # what nearly every insert does: it fits into the open chunk
            self._appends.add(number, tail, len(times), times[-1], cut_up[0][1])
            return Inserted(first, times, cut_up[0][1])
        # text that continues the last chunk is preceded by a comma
        before = tail.before + tail.size + bool(cut_up[0][0]) if tail else 0
        self._append(number, tail, _chunks(first, before, times, cut_up))
        return Inserted(first, times, b",".join([text for count, text in cut_up if count]))

    def _append(self, number: int, tail: Tail | None, new: list[Chunk]) -> None:
        """Store new chunks; if there is a *tail*, the first of them continues it, and may be empty."""
        head, *others = new
        self._changing(number)
        plain: list[Chunk] = []
        if tail:
            *plain, last = self._plain(number, tail)
            others.insert(0, _continued(last, head) if head.number else last)
        elif head.number:
            others.insert(0, head)
        groups, rest = regroup([*plain, *others[:-1]])
        for group in groups:
            chunk = join(group)
            self._remove(number, chunk)
            self._put(number, chunk, pack(group), packed=True)
        for chunk in [*rest, others[-1]]:
            if chunk not in plain:  # those are stored already
                self._put(number, chunk, chunk.text, packed=False)

    def _plain(self, number: int, tail: Tail) -> list[Chunk]:
        """Return the chunks that are not packed, the open one last. They are few, as enough of them are packed at once."""
        found = []
        rows = self._connection.execute(
            "SELECT id, number, first_time, last_time, packed, before, data FROM chunks WHERE id BETWEEN ? AND ? ORDER BY id DESC",
            (number << INDEX_BITS, tail.id),
        )
        for key, points, first_time, last_time, packed, before, data in rows:
            if packed:
                rows.close()
                break
            found.append(Chunk(key & (MOST_POINTS - 1), points, first_time, last_time, data, before))
        return found[::-1]

    def _remove(self, number: int, chunk: Chunk) -> None:
        """Remove the stored chunks that have the same points as *chunk*."""
        base = number << INDEX_BITS
        self._connection.execute(
            "DELETE FROM chunks WHERE id >= ? AND id < ?", (base + chunk.first, base + chunk.after)
        )

    def _put(self, number: int, chunk: Chunk, data: bytes, *, packed: bool) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO chunks (id, series, number, first_time, last_time, packed, before, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (number << INDEX_BITS) + chunk.first,
                number,
                chunk.number,
                chunk.first_time,
                chunk.last_time,
                packed,
                chunk.before,
                data,
            ),
        )


def _number(series: Series) -> int:
    number = series.stream_id * 2 + series.downlink
    if number >= MOST_SERIES:
        raise StorageError(
            f"a database numbers {MOST_SERIES // 2} streams at most, those deleted included; start a new one"
        )
    return number


@contextmanager
def _damage(series: Series, first: int) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise StorageError(
            f"stream {series.stream_id}{' (downlink)' * series.downlink}: the points from index {first} on are damaged "
            f"({error}); bring back a backup"
        ) from error


def _continued(last: Chunk, head: Chunk) -> Chunk:
    return replace(last, number=last.number + head.number, last_time=head.last_time, text=last.text + b"," + head.text)


def _chunks(first: int, before: int, times: Sequence[float], pieces: Sequence[tuple[int, bytes]]) -> list[Chunk]:
    chunks = []
    done = 0
    for number, text in pieces:
        last = done + max(number, 1) - 1
        chunks.append(Chunk(first + done, number, times[done], times[last], text, before))
        done += number
        before += len(text)
    return chunks


def _stamped(times: list[float], newest: float, restamp: bool) -> list[float]:
    """Return the times at which points are stored after one at *newest*."""
    # sorting what is sorted takes no time; a NaN anywhere makes the sum NaN
    if sorted(times) != times or isnan(sum(times)) or not (isfinite(times[0]) and isfinite(times[-1])):
        raise ValueError("points are handed to the storage in order of time")
    if times[0] >= newest:
        return times
    if not restamp:
        raise Older(f"the first point, at {times[0]!r}, is older than the newest one stored, at {newest!r}")
    times = times.copy()
    floor = newest + RESTAMP_STEP if newest.is_integer() else newest
    for index, t in enumerate(times):
        if t > floor:
            break
        times[index] = floor
    return times
