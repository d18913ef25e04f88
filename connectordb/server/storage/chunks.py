"""
Chunks: some hundred points each as JSON text ready for the wire, and how to cut and join them.

The text of a chunk is its points' objects separated by commas, without brackets, so that a read is mostly copying. A new point is
appended to the text of the last chunk. When that has enough, it is closed, and later packed together with others
(``packs.py``). Pure: what is stored where is decided in ``points.py``.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import copysign
from typing import Any

from ...protocol import json_text
from ...protocol.points import EXACT, Batch, Datapoint

#: The most points and bytes of text in an open chunk. An append rewrites the chunk, which is cheap while there are few.
OPEN_POINTS = 250
OPEN_BYTES = 32 * 1024

#: Whole numbers below this are written with all their digits and without a point, as the original server does.
_PLAIN = 1e21

#: The types of numbers; not of booleans.
NUMBERS = frozenset((float, int))

#: What whole numbers have in the text of floats (of floats that have no exponent, or a negative one).
_NO_FRACTION = re.compile(rb"\.0\b")
_NEGATIVE_ZERO = re.compile(rb"-0\.0\b")

_BEGIN = b'{"t":'
_END = b"}"
_BETWEEN = _END + b"," + _BEGIN


@dataclass(frozen=True, slots=True)
class Chunk:
    """
    Consecutive points of one series.

    Attributes:
        first: The index of the first point.
        number: How many points there are.
        first_time: The time of the first point.
        last_time: The time of the last point.
        text: The points' objects, separated by commas.
        before: Bytes of text in all chunks of the series before this one.
    """

    first: int
    number: int
    first_time: float
    last_time: float
    text: bytes
    before: int = 0

    @property
    def after(self) -> int:
        """The index after that of the last point."""
        return self.first + self.number


def join(chunks: Sequence[Chunk]) -> Chunk:
    """Return consecutive chunks as one."""
    head, tail = chunks[0], chunks[-1]
    return Chunk(
        head.first,
        tail.after - head.first,
        head.first_time,
        tail.last_time,
        b",".join([chunk.text for chunk in chunks]),
        head.before,
    )


def encode(points: Sequence[Datapoint], times: Sequence[float]) -> bytes:
    """
    Return *points*, stored at *times*, as the text of a chunk.

    All numbers, in times and values, are written as the 64-bit floats that they become; ``d`` is left out if it is null, and ``o``
    if there is none.
    """
    if not points:
        return b""
    batch = points if isinstance(points, Batch) else Batch.of(points)
    if batch is not None and batch.kinds <= NUMBERS and batch.times == times:
        text = _encode_numbers(batch, 0, len(batch))
        if text is not None:
            return text
    rows = []
    for point, t in zip(points, times, strict=True):
        row: dict[str, Any] = {"t": _number(t)}
        d = point.get("d")
        if d is not None:
            # the types of nearly all values, without the cost of a call
            kind = type(d)
            row["d"] = d if kind is bool or kind is str else _number(d) if kind is float else _plain(d)
        if o := point.get("o"):
            row["o"] = o
        rows.append(row)
    try:
        return json_text.dumps(rows)[1:-1]
    except TypeError:
        # orjson takes no integers of more than 64 bits, which whole floats below 1e21 may become. These are rare. Each point is then
        # written by itself, so that its text does not depend on those beside it.
        return b",".join(map(_lone, rows))


def _encode_numbers(batch: Batch, first: int, last: int) -> bytes | None:
    """
    Return what `encode` does, for some points of a batch of numbers in order of time; `None` if they need a closer look.

    The points are written as they are, and then the text is changed to the form that `encode` gives it.
    """
    text = batch.text(first, last)
    # within these bounds every integer is a float too, and only tiny floats are written with an exponent
    if text is None or not (-EXACT < batch.times[first] and batch.times[last - 1] < EXACT):
        return None
    if int in batch.kinds or b"e" in text:
        values = batch.values[first:last]
        if not (-EXACT < min(values) and max(values) < EXACT):
            return None
    # looking for a minus sign first takes no time
    if b"-" in text and _NEGATIVE_ZERO.search(text):
        return None  # below it would become 0
    return _NO_FRACTION.sub(b"", text)


def _lone(row: dict[str, Any]) -> bytes:
    try:
        return json_text.dumps(row)
    except TypeError:
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _number(value: float) -> float:
    if value.is_integer() and -_PLAIN < value < _PLAIN:
        # not for -0.0, which as an integer would lose its sign
        return int(value) if value or copysign(1, value) > 0 else value
    return value


def _plain(value: Any) -> Any:
    """Return *value* with all numbers in it as they are written: as 64-bit floats, and whole ones as integers."""
    kind = type(value)
    if kind is float:
        return _number(value)
    if kind is int:
        return value if -EXACT <= value <= EXACT else _number(float(value))
    if kind is dict:
        return {key: _plain(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [_plain(item) for item in value]
    return value


def cut(
    points: Sequence[Datapoint], times: Sequence[float], room: int, space: int, numbers: Batch | None = None
) -> Iterator[tuple[int, bytes]]:
    """
    Cut new points into pieces that fit into an open chunk; a single point may be larger.

    Args:
        points: The points.
        times: The times at which they are stored.
        room: How many points the first piece may have; 0 or more.
        space: How many bytes of text it may have.
        numbers: The same points, if all are numbers that are stored at their own times.

    Yields:
        For each piece, how many points it has, and their text. The first piece continues the last chunk that exists, and may be
        empty; no other is.
    """
    start = 0
    while start < len(points):
        stop = min(start + room, len(points))
        text = _encode_numbers(numbers, start, stop) if numbers is not None and stop > start else None
        if text is None:
            text = encode(points[start:stop], times[start:stop])
        if len(text) <= space:
            yield stop - start, text
        else:
            one_by_one = zip(points[start:stop], times[start:stop], strict=True)
            yield from _by_size([encode([point], [t]) for point, t in one_by_one], space)
        start = stop
        room, space = OPEN_POINTS, OPEN_BYTES


def _by_size(texts: Sequence[bytes], space: int) -> Iterator[tuple[int, bytes]]:
    gathered: list[bytes] = []
    size, fresh = 0, space == OPEN_BYTES
    for text in texts:
        if size + len(text) + 1 > space and (gathered or not fresh):
            yield len(gathered), b",".join(gathered)
            gathered, size, fresh, space = [], 0, True, OPEN_BYTES
        gathered.append(text)
        size += len(text) + 1
    yield len(gathered), b",".join(gathered)


def part_of(text: bytes, number: int, first: int, last: int) -> bytes:
    """Return the text of the points from the *first* to before the *last* in a chunk of *number* points."""
    if first <= 0 and last >= number:
        return text
    points = _split(text, number)[max(first, 0) : last]
    return _BEGIN + _BETWEEN.join(points) + _END if points else b""


def count_until(text: bytes, number: int, t: float) -> int:
    """Return how many of a chunk's points are not later than *t*."""
    return bisect_right(_split(text, number), t, key=_time)


def _split(text: bytes, number: int) -> list[bytes]:
    """Return each point's text without the ``{"t":`` at its beginning and the ``}`` at its end."""
    parts = text[len(_BEGIN) : -len(_END)].split(_BETWEEN)
    if len(parts) != number:
        # the separator also occurs in a value such as [{"a":1},{"t":2}] (not in a string, where quotes are escaped): decode it all
        points = json_text.loads(b"[%b]" % text)
        parts = [encode([point], [float(point["t"])])[len(_BEGIN) : -len(_END)] for point in points]
    return parts


def _time(part: bytes) -> float:
    end = part.find(b",")
    return float(part if end < 0 else part[:end])
