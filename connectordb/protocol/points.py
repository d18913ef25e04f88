"""A datapoint as it crosses the wire, and batches of simple datapoints as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from math import inf, isfinite
from typing import Any, overload

from ..exceptions import LocalProtocolError, PipeScriptError, RemoteProtocolError
from . import json_text

#: ``t``: seconds since 1970; ``d``: any JSON value; ``o``: the sender, if it is not the stream's own device.
Datapoint = dict[str, Any]

#: Up to here a 64-bit float can hold every integer exactly.
EXACT = 2**53

_TIMES = frozenset((float, int))
_SIMPLE = frozenset((float, int, str, bool))
_BEGIN = b'{"t":'


class DatapointWarning(UserWarning):
    """
    A point was accepted that is probably a mistake: its time is after the year 9999, or the server will change an integer in it.
    Or a range was asked for with such a time, and most likely holds nothing.

    Programs written for 0.3.5 may depend on either, so the methods that 0.3.5 had only warn: once a call, and by default once for
    each line of a program. Newer methods refuse such points. With ``warnings.simplefilter("error", DatapointWarning)`` all do.
    """


class Batch(Sequence[Datapoint]):
    """
    Simple points, as a sequence that also has them as columns.

    Simple is a point that consists of a time and of a value that is a number, text or boolean. Most inserts hold nothing else, and
    looking at them column by column is several times quicker than point by point. Points taken out of a batch are new dicts.

    Args:
        rows: The points in the shape in which they were decoded.
        times: Their times, as floats.
        values: Their values.
        write: Returns the JSON text of an array of such rows with the time first in each; ``None`` if that is not how it writes them.

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
        """Return *items* as a batch, if each is a simple point; else ``None``."""
        try:
            # among JSON values only objects can be indexed by text
            times, values = [item["t"] for item in items], [item["d"] for item in items]
        except (KeyError, TypeError):
            return None
        # every item has both keys, so none has a third one if they have two keys on average
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
        Return the points from *first* to before *last* as JSON text without the brackets; ``None`` if a time does not come first.

        What libraries wrote the text does not matter: they agree on how numbers below `EXACT` are written.
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
    Return the times of points that a user made, and check them: what comes from a server needs no checking.

    A point without a time counts as one at 0.

    Args:
        points: The points.
        first: The number of the first one, for the error.

    Raises:
        LocalProtocolError: A time is no finite number.
    """
    from numbers import Real  # imported here because loading it takes time

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
    Return a point off the wire, completed: a server leaves out ``d`` if it is null.

    Raises:
        RemoteProtocolError: It is no point.
    """
    if not isinstance(point, dict):
        raise RemoteProtocolError(f"{point!r} stands where a datapoint should")
    if "d" not in point:
        point["d"] = None
    return point


def as_answered(point: Datapoint) -> Datapoint:
    """
    Return a point that was computed here as a server would send it: only its time and value, whole numbers as integers.

    Raises:
        PipeScriptError: It has a number in it that JSON cannot hold.
    """
    try:
        return {"t": _as_read(point["t"]), "d": _as_read(point.get("d"))}
    except ValueError as error:
        raise PipeScriptError(f"the result at {point['t']!r} has {error} in it, which JSON cannot hold") from error


def _as_read(value: Any) -> Any:
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(repr(float(value)))
        # a server writes whole numbers without a fraction; an integer of more than 64 bits would be read as a float again
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
