"""
Ranges of points, by index or by time: from what users write to what crosses the wire.

The server's rules (``docs/topics/wire.rst``, "Ranges"): by index a range is ``[i1, i2)``, where negative indices count from
the end and ``i2 = 0`` means "to the end"; a range that ends before it begins is refused, not empty. By time it is
``(t1, t2]``.
"""

from __future__ import annotations

import operator
from typing import Any

from ..exceptions import InvalidRange
from .scripts import ScriptLike, script_text
from .times import LATE, Time, to_seconds

#: Indices travel as 64-bit integers. No stream reaches these, so larger ones are cut down to them.
_MAX_INDEX, _MIN_INDEX = 2**62, -(2**62)


class Range:
    """
    A range as a user gives it, and the script that is to run over it.

    Args:
        now: The present, in seconds since 1970: what "2 hours ago" counts from.
        t1: After this time, exclusive.
        t2: Up to this time, inclusive.
        limit: At most this many points; with times, or alone.
        i1: From this index on.
        i2: Up to before this index.
        transform: The script, if any.

    Attributes:
        fields: The range as the wire wants it: only what was given, as numbers.
        script: The script as text, or ``""``.

    Raises:
        InvalidRange: Kinds of range are mixed, or a value is of the wrong kind.
        LocalProtocolError: *transform* is no script.

    Warns:
        DatapointWarning: A time is after the year 9999, as milliseconds are.
    """

    __slots__ = ("fields", "script")

    def __init__(
        self,
        now: float,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        transform: ScriptLike | None = None,
    ) -> None:
        self.fields = _fields(now, t1, t2, limit, i1, i2)
        self.script = script_text("transform", transform)

    @property
    def parameters(self) -> dict[str, str]:
        """The query parameters of a request that reads it."""
        return read_parameters(self.fields, self.script)


def to_index(value: object, name: str) -> int:
    """Return *value* as an index: an integer, also one of NumPy's; raise `InvalidRange` for anything else."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InvalidRange(f"{name}={value!r} is no index: expected an integer")
    return max(_MIN_INDEX, min(_MAX_INDEX, operator.index(value)))


def check_bound(name: str, t: float) -> None:
    """
    Check a time that bounds a range.

    Warns:
        DatapointWarning: It is after the year 9999, as milliseconds are.
    """
    if t > LATE:  # the last microsecond of that year, as a float, is this
        from . import doubts  # imported here because few ranges have such a time

        doubts.warn(f"a range has {doubts.of_bound(name, t)}")


def _fields(
    now: float, t1: Time | None, t2: Time | None, limit: int | None, i1: int | None, i2: int | None
) -> dict[str, Any]:
    """Return a range as the wire wants it: only what was given, as numbers."""
    by_index = {name: to_index(value, name) for name, value in (("i1", i1), ("i2", i2)) if value is not None}
    by_time = {name: to_seconds(value, now) for name, value in (("t1", t1), ("t2", t2)) if value is not None}
    if by_index and by_time:
        given = ", ".join((*by_index, *by_time))
        raise InvalidRange(f"{given} mixed: a range goes either by index (i1, i2) or by time (t1, t2, limit)")
    for name, t in by_time.items():
        check_bound(name, t)
    if limit is None:
        return by_index or by_time
    if by_index:
        raise InvalidRange("limit goes with t1 and t2 only; with indices say i1 and i2")
    if isinstance(limit, bool) or not hasattr(limit, "__index__") or (count := to_index(limit, "limit")) < 0:
        raise InvalidRange(f"limit={limit!r}: it is a number of points, 0 or more (0: no limit)")
    return {**by_time, "limit": count}


def read_parameters(fields: dict[str, Any], transform: str | None = None) -> dict[str, str]:
    """
    Return the query parameters of a read, given the fields of a `Range`.

    No fields mean the whole stream; ``limit`` alone means its first points.
    """
    if "limit" in fields and "t1" not in fields and "t2" not in fields:
        fields = {"t1": 0, **fields}  # the server takes a limit only with a time
    parameters = {name: number_text(value) for name, value in (fields or {"i1": 0, "i2": 0}).items()}
    if transform:
        parameters["transform"] = transform
    return parameters


def number_text(number: float) -> str:
    """Return *number* as text that reads back as the same number."""
    return str(number) if isinstance(number, int) else repr(float(number))


def one_index(index: int) -> tuple[int, int]:
    """Return ``i1, i2`` of the range that holds the point at *index* alone; negative indices count from the end."""
    return index, index + 1


def slice_range(start: object, stop: object, step: object) -> tuple[int, int, int] | None:
    """
    Return ``i1, i2, step`` such that ``stream[start:stop:step]`` is ``points[::step]`` of the points that ``i1, i2`` read.

    The result is that of slicing a list. ``None`` if the slice is empty whatever the stream holds; also a range that the server
    refuses because it ends before it begins is an empty slice.

    Raises:
        InvalidRange: A part is neither ``None`` nor an integer.
        ValueError: The step is zero.
    """
    first = None if start is None else to_index(start, "slice start")
    last = None if stop is None else to_index(stop, "slice end")
    stride = 1 if step is None else to_index(step, "slice step")
    if stride == 0:
        raise ValueError("slice step cannot be zero")
    if (
        stride < 0
    ):  # backwards from first to before last: the same points as forwards from last + 1 up to and with first
        if last == -1:
            return None
        first, last = (None if last is None else last + 1), (None if first in (None, -1) else _next(first))
    if last == 0 or (first is not None and last is not None and (first < 0) == (last < 0) and first >= last):
        return None
    return first or 0, last or 0, stride


def _next(index: int | None) -> int | None:
    return None if index is None else index + 1
