"""
Chunks: points as JSON text ready for the wire, some hundreds to a piece, and the arithmetic of cutting and joining them.

The text of a chunk is its points' objects with commas between, without brackets, so that a read is mostly copying. A new
point is appended to the text of the last chunk; when that has enough, it is closed, and later packed with others
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
from ...protocol.points import Batch, Datapoint

#: Points and bytes of text in a chunk that is appended to. An append rewrites its chunk: few points keep that cheap.
OPEN_POINTS = 250
OPEN_BYTES = 32 * 1024

#: Integral numbers below this are written with all their digits and no point, like the original's.
_PLAIN = 1e21

#: Integers beyond this are not all 64-bit floats.
_EXACT = 2**53

#: What numbers are, booleans excluded.
NUMBERS = frozenset((float, int))

#: In the text of floats, of which none has an exponent that is not negative.
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
        first: The index of the first of them.
        number: How many there are.
        first_time: The first one's time.
        last_time: The last one's.
        text: Their objects, with commas between.
        before: Bytes of text in the series' chunks before this one.
    """

    first: int
    number: int
    first_time: float
    last_time: float
    text: bytes
    before: int = 0

    @property
    def after(self) -> int:
        """The index of the first point behind the chunk."""
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

    Numbers pass through 64-bit floats, in values as in times; ``d`` is left out where it is null, ``o`` where there is none.
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
            # the two kinds that nearly all values are of, without a call
            kind = type(d)
            row["d"] = d if kind is bool or kind is str else _number(d) if kind is float else _plain(d)
        if o := point.get("o"):
            row["o"] = o
        rows.append(row)
    try:
        return json_text.dumps(rows)[1:-1]
    except TypeError:
        # orjson takes no integer beyond 64 bits, which integral floats up to 1e21 become; they are rare. One point after
        # the other: how one is written does not depend on those beside it.
        return b",".join(map(_lone, rows))


def _encode_numbers(batch: Batch, first: int, last: int) -> bytes | None:
    """
    Return what `encode` does, for some points of a batch of numbers in order of time; `None` if they have to be looked at.

    They are written as they are, and the text is made canonical.
    """
    text = batch.text(first, last)
    # up to here all integers are floats too, and no float is written with an exponent but small ones
    if text is None or not (-_EXACT < batch.times[first] and batch.times[last - 1] < _EXACT):
        return None
    if int in batch.kinds or b"e" in text:
        values = batch.values[first:last]
        if not (-_EXACT < min(values) and max(values) < _EXACT):
            return None
    # to look for a sign takes no time
    if b"-" in text and _NEGATIVE_ZERO.search(text):
        return None  # it stays one
    return _NO_FRACTION.sub(b"", text)


def _lone(row: dict[str, Any]) -> bytes:
    try:
        return json_text.dumps(row)
    except TypeError:
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _number(value: float) -> float:
    if value.is_integer() and -_PLAIN < value < _PLAIN:
        # an integer has no negative zero, which some care for
        return int(value) if value or copysign(1, value) > 0 else value
    return value


def _plain(value: Any) -> Any:
    """Return *value* with its numbers as a 64-bit float shows them."""
    kind = type(value)
    if kind is float:
        return _number(value)
    if kind is int:
        return value if -_EXACT <= value <= _EXACT else _number(float(value))
    if kind is dict:
        return {key: _plain(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [_plain(item) for item in value]
    return value


def cut(
    points: Sequence[Datapoint], times: Sequence[float], room: int, space: int, numbers: Batch | None = None
) -> Iterator[tuple[int, bytes]]:
    """
    Cut new points into pieces that are no larger than an open chunk may be, a single point excepted.

    Args:
        points: What is to be stored.
        times: When each is stored.
        room: How many points the first piece may have; 0 and more.
        space: How many bytes of text it may have.
        numbers: The points again, if all are stored at their own times and are numbers.

    Returns:
        For each piece, how many points it has and their text. The first continues the last chunk there is, and may be
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
    """Return each point's text without what it begins and ends with."""
    parts = text[len(_BEGIN) : -len(_END)].split(_BETWEEN)
    if len(parts) != number:
        # the separator occurs in a value, [{"a":1},{"t":2}] say (text cannot have it, as its quotes are escaped): read it
        points = json_text.loads(b"[%b]" % text)
        parts = [encode([point], [float(point["t"])])[len(_BEGIN) : -len(_END)] for point in points]
    return parts


def _time(part: bytes) -> float:
    end = part.find(b",")
    return float(part if end < 0 else part[:end])
