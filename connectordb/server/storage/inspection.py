"""
Going through stored points chunk by chunk without trusting any of it, to look for damage or to recover what damage has left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import le
from typing import Any

from ...exceptions import StorageError
from ...protocol import json_text
from ...runtime.sqlite import Connection, translated
from .appends import INDEX_BITS, MOST_POINTS, MOST_SERIES
from .contract import Series
from .packs import parts

_KEYS = {"t", "d", "o"}


@dataclass(frozen=True, slots=True)
class Stored:
    """
    A row of the table of chunks, unchecked: all but the first attribute are what the columns say.

    Attributes:
        first: The index of its first point, according to its key.
        series: The number of the series.
        number: How many points it has.
        first_time: The time of the first point.
        last_time: The time of the last point.
        packed: Whether it is packed.
        before: Bytes of text in the series before it.
        data: Its points.
    """

    first: int
    series: Any
    number: Any
    first_time: Any
    last_time: Any
    packed: Any
    before: Any
    data: Any


@dataclass(frozen=True, slots=True)
class Unreadable:
    """
    A part of the file that cannot be read.

    Attributes:
        first: The index from which on nothing can be read.
        after: The index from which on it can be read again; `None` if it cannot to the end.
        why: SQLite's reason.
    """

    first: int
    after: int | None
    why: str


class Chunks:
    """
    The chunks of the file that *connection* has open.

    Args:
        connection: The connection; begin a transaction for a consistent view.
        path: The name of the file, for errors.
    """

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = path

    def next_series(self, number: int) -> int | None:
        """
        Return the number of the first series from *number* on that has points.

        Raises:
            StorageError: This cannot be read.
        """
        if number >= MOST_SERIES:
            return None
        key = self._next_key(max(number, 0) << INDEX_BITS, 1 << 63)
        return None if key is None else key >> INDEX_BITS

    def of(self, number: int) -> Iterator[Stored | Unreadable]:
        """Yield the chunks of a series, and the parts that cannot be read."""
        if not 0 <= number < MOST_SERIES:
            return  # the number may come from a damaged row
        base, end = number << INDEX_BITS, (number + 1) << INDEX_BITS
        at = base
        seen = 0
        while at < end:
            try:
                key = self._next_key(at, end)
            except StorageError as error:
                beyond = self._beyond(at, end)
                first = max(at - base, seen if beyond is None else min(seen, beyond - base))
                yield Unreadable(first, None if beyond is None else beyond - base, _reason(error))
                if beyond is None:
                    return
                at = beyond
                continue
            if key is None:
                return
            at = key + 1
            try:
                stored = self._row(key, base)
            except StorageError as error:
                after = self._next_key_if_readable(at, end)
                yield Unreadable(key - base, None if after is None else after - base, _reason(error))
                if after is None:
                    return
                at = after
                continue
            if isinstance(stored.number, int):
                seen = stored.first + stored.number
            yield stored

    def _next_key(self, at: int, end: int) -> int | None:
        # only the key, so that of a large row only the first page is read
        with translated(self._path, "reading"):
            row = self._connection.execute(
                "SELECT id FROM chunks WHERE id >= ? AND id <= ? ORDER BY id LIMIT 1", (at, min(end, 1 << 63) - 1)
            ).fetchone()
        if row is None:
            return None
        key = int(row[0])
        if not at <= key < end:
            raise StorageError("the keys are in no order")  # in a damaged page, a search may find anything
        return key

    def _next_key_if_readable(self, at: int, end: int) -> int | None:
        try:
            return self._next_key(at, end)
        except StorageError:
            return self._beyond(at, end)

    def _row(self, key: int, base: int) -> Stored:
        with translated(self._path, "reading"):
            row = self._connection.execute(
                "SELECT series, number, first_time, last_time, packed, before, data FROM chunks WHERE id = ?", (key,)
            ).fetchone()
        if row is None:
            raise StorageError("its key leads nowhere")
        return Stored(key - base, *row)

    def _beyond(self, at: int, end: int) -> int | None:
        """Return the first key after *at* that can be read, *at* being one that cannot; `None` if there is none."""
        failing, step = at, 1
        while (probe := at + step) < end:
            step *= 2
            try:
                found = self._next_key(probe, end)
            except StorageError:
                failing = probe
                continue
            # readable from *probe* on, and perhaps from earlier on: search by halving
            while probe - failing > 1:
                middle = (probe + failing) // 2
                try:
                    found, probe = self._next_key(middle, end), middle
                except StorageError:
                    failing = middle
            return found
        return None


def numbered(series_number: int) -> Series:
    """Return the series that has this number."""
    return Series(series_number >> 1, bool(series_number & 1))


def parts_of(chunk: Stored) -> list[tuple[int, bytes, float]]:
    """
    Return the parts of a chunk: for each, how many points it should have, its text, and its last time.

    Raises:
        ValueError: It is damaged.
    """
    if not isinstance(chunk.data, bytes) or not isinstance(chunk.number, int):
        raise ValueError("its columns are of the wrong kind")
    return parts(chunk.data, chunk.number) if chunk.packed else [(chunk.number, chunk.data, chunk.last_time)]


class Judge:
    """
    Checks the chunks of one series, one after the other, and says what is wrong.

    Attributes:
        length: The index after the last chunk that was checked.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self.length = 0
        self._newest = float("-inf")
        self._size: int | None = 0  # bytes of text so far; None while that is unknown

    def unreadable(self, place: Unreadable) -> tuple[str, str]:
        """Return which points cannot be read, and why; the next chunk is expected after them."""
        where = span(place.first, place.after)
        self.length = place.first if place.after is None else place.after
        self._size = None
        return where, f"cannot be read ({place.why})"

    def faults(self, chunk: Stored) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the next chunk: for which points, and what."""
        if chunk.first > self.length:
            yield span(self.length, chunk.first), "are missing"
            self._size = None
        elif chunk.first < self.length:
            yield span(chunk.first, self.length), "are there twice"
        sound = isinstance(chunk.number, int) and 0 < chunk.number <= MOST_POINTS - chunk.first
        self.length = chunk.first + (chunk.number if sound else 1)
        where = span(chunk.first, self.length)
        if not sound:
            yield where, f"their number is said to be {chunk.number!r}"
            return
        if chunk.series != self._number:
            yield where, f"they are said to be of series {chunk.series!r}, and lie in {self._number}"
        size, self._size = self._size, None
        try:
            parts = parts_of(chunk)
            times = _times(parts, bool(chunk.packed))
        except ValueError as error:
            yield where, f"are damaged ({error})"
            return
        if size is not None and chunk.before != size:
            yield where, f"{size} bytes of text lie before them, and {chunk.before!r} are said to"
        if isinstance(chunk.before, int):
            self._size = chunk.before + sum(len(text) for _, text, _ in parts)
        if chunk.first_time != times[0] or chunk.last_time != times[-1]:
            yield (
                where,
                f"they lie from {times[0]!r} to {times[-1]!r}, and are said to lie from "
                f"{chunk.first_time!r} to {chunk.last_time!r}",
            )
        if times[0] < self._newest or not all(map(le, times, times[1:])):
            yield where, "their times go back"
        self._newest = max(self._newest, times[-1])


def _times(parts: Sequence[tuple[int, bytes, float]], packed: bool) -> list[float]:
    times: list[float] = []
    for number, text, last_time in parts:
        found = _checked_times(json_text.loads(b"[%b]" % text))
        if len(found) != number:
            raise ValueError(f"{len(found)} points where {number} should be")
        if packed and found[-1:] != [last_time]:
            raise ValueError(f"a part ends at {found[-1]!r}, and is said to end at {last_time!r}")
        times += found
    return times


def _checked_times(points: Sequence[Any]) -> list[float]:
    if not set(map(type, points)) <= {dict} or not set(chain.from_iterable(points)) <= _KEYS:
        raise ValueError("something in it is no point")
    times = [point.get("t") for point in points]
    if not set(map(type, times)) <= {int, float}:
        raise ValueError("a point in it has no time")
    return times


def span(first: int, after: int | None) -> str:
    """Return a range of indices in words."""
    if after is None:
        return f"the points from index {first} on"
    return f"the point at index {first}" if after - first == 1 else f"the points at indices {first} to {after - 1}"


def _reason(error: BaseException) -> str:
    return str(error.__cause__ or error)
