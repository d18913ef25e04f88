"""A datapoint as it crosses the wire, and many of them as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from math import inf, isfinite
from typing import Any, overload

from ..exceptions import LocalProtocolError, PipeScriptError, RemoteProtocolError
from . import json_text

#: ``t`` seconds, ``d`` any JSON value, ``o`` the sender where it is not the owner.
Datapoint = dict[str, Any]

#: Up to here every integer is a 64-bit float.
EXACT = 2**53

_TIMES = frozenset((float, int))
_SIMPLE = frozenset((float, int, str, bool))
_BEGIN = b'{"t":'


class DatapointWarning(UserWarning):
    """
    A point was taken that is hardly meant so: its time is behind the year 9999, or a server keeps an integer in it as another.

    Programs written for 0.3.5 may depend on either, so that the methods it had warn: once a call, and by default once for each line
    of a program. What is newer refuses such points; ``warnings.simplefilter("error", DatapointWarning)`` has all of them do so.
    """


class Batch(Sequence[Datapoint]):
    """
    Points of which each is a time, a number, text or boolean, and nothing else; a sequence that knows its columns.

    Most inserts are that, and are looked at column by column, which is several times quicker than point by point. Who asks for
    a point is given one of his own.

    Args:
        rows: The points in the shape in which they were decoded.
        times: Their times, as floats.
        values: Their values.
        write: Returns the JSON text of an array of such rows, the time first in each, or nothing.

    Attributes:
        times: The points' times, all of them floats.
        values: Their values.
        kinds: The types that occur among the values.
    """

    __slots__ = ("_rows", "_write", "kinds", "times", "values")

    def __init__(
        self,
        rows: Sequence[Any],
        times: list[float],
        values: list[Any],
        write: Callable[[Sequence[Any]], bytes | None],
    ) -> None:
        self._rows = rows
        self._write = write
        self.times = times
        self.values = values
        self.kinds = frozenset(map(type, values))

    @classmethod
    def of(cls, items: Sequence[Any]) -> Batch | None:
        """Return the points that *items* are, if all are such."""
        try:
            # of what JSON has, only objects can be asked for these
            times, values = [item["t"] for item in items], [item["d"] for item in items]
        except (KeyError, TypeError):
            return None
        # both keys are there, so that it is two of each if it is two on average
        if not items or sum(map(len, items)) != 2 * len(items) or not _TIMES.issuperset(map(type, times)):
            return None
        batch = cls(items, list(map(float, times)), values, _write)
        return batch if batch.kinds <= _SIMPLE else None

    def __len__(self) -> int:
        return len(self.times)

    @overload
    def __getitem__(self, index: int) -> Datapoint: ...
    @overload
    def __getitem__(self, index: slice) -> list[Datapoint]: ...
    def __getitem__(self, index: int | slice) -> Datapoint | list[Datapoint]:
        if isinstance(index, slice):
            return [{"t": t, "d": d} for t, d in zip(self.times[index], self.values[index], strict=True)]
        return {"t": self.times[index], "d": self.values[index]}

    def __iter__(self) -> Iterator[Datapoint]:
        return iter(self[:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self[:] == list(other)

    __hash__ = None  # type: ignore[assignment]

    def text(self, first: int, last: int) -> bytes | None:
        """
        Return the JSON text of the points from the *first* to before the *last*, if the time comes first in each.

        Libraries agree on how numbers below `EXACT` are written.
        """
        text = self._write(self._rows[first:last])
        return None if text is None else text[1:-1]


def _write(points: Sequence[Datapoint]) -> bytes | None:
    text = json_text.dumps(points)
    return text if text.count(_BEGIN) == len(points) else None


def times_of(points: Sequence[Datapoint]) -> list[float]:
    """Return the points' times."""
    return points.times if isinstance(points, Batch) else [point["t"] for point in points]


def checked_times(points: Sequence[Datapoint], first: int = 0) -> list[float]:
    """
    Return the times of points that somebody made, who may have made others than a server has; one without is of 0.

    Args:
        points: The points.
        first: What number the first of them has.

    Raises:
        LocalProtocolError: One is no finite number.
    """
    from numbers import Real  # which is not free to load

    times = [point.get("t", 0.0) for point in points]
    with suppress(OverflowError):
        if all(issubclass(kind, Real) for kind in set(map(type, times))) and isfinite(sum(times)):
            return times
    for number, t in enumerate(times, first):
        try:
            is_time = isinstance(t, Real) and isfinite(t)
        except OverflowError:
            is_time = False
        if not is_time:
            raise LocalProtocolError(f"datapoint {number} has t={t!r:.60}: expected seconds since 1970")
    return times


def read_point(point: Any) -> Datapoint:
    """
    Return a point off the wire with ``d`` in it: nulls are left out there.

    Raises:
        RemoteProtocolError: It is none.
    """
    if not isinstance(point, dict):
        raise RemoteProtocolError(f"{point!r} stands where a datapoint should")
    if "d" not in point:
        point["d"] = None
    return point


def as_answered(point: Datapoint) -> Datapoint:
    """
    Return a point that was computed here as it would come off the wire: time and value alone, whole numbers as integers.

    Raises:
        PipeScriptError: There is a number in it that JSON does not have.
    """
    try:
        return {"t": _as_read(point["t"]), "d": _as_read(point.get("d"))}
    except ValueError as error:
        raise PipeScriptError(f"the result at {point['t']!r} has {error} in it, which JSON cannot hold") from error


def _as_read(value: Any) -> Any:
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(repr(float(value)))
        # text without a fraction, and not beyond 64 bits
        return int(value) if value.is_integer() and -(2.0**63) <= value < 2.0**64 else float(value)
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if -EXACT <= value <= EXACT else _as_read(_float(value))
    if isinstance(value, dict):
        return {key: _as_read(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_read(item) for item in value]
    raise ValueError(f"{value!r:.60}")


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return inf
