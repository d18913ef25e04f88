"""A datapoint as it crosses the wire, and many of them as columns."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any

from ..exceptions import PipeScriptError, RemoteProtocolError

#: ``t`` seconds, ``d`` any JSON value, ``o`` the sender where it is not the owner.
Datapoint = dict[str, Any]


#: Up to here every integer is a 64-bit float.
_EXACT = 2**53

_TIMES = frozenset((float, int))
_SIMPLE = frozenset((float, int, str, bool))


class Batch(list[Datapoint]):
    """
    Points of which each is a time, a number, text or boolean, and nothing else; a list that knows its columns.

    Most inserts are that, and are looked at column by column, which is several times quicker than point by point. Whoever
    changes a point makes a plain list first.

    Attributes:
        times: The points' times, as they came.
        values: Their values.
        kinds: The types that occur among the values.
    """

    __slots__ = ("kinds", "times", "values")

    def __init__(self, points: list[Datapoint], times: list[float], values: list[Any], kinds: frozenset[type]) -> None:
        super().__init__(points)
        self.times = times
        self.values = values
        self.kinds = kinds

    @classmethod
    def of(cls, items: list[Any]) -> Batch | None:
        """Return the points that *items* are, if all are such."""
        try:
            # of what JSON has, only objects can be asked for these
            times, values = [item["t"] for item in items], [item["d"] for item in items]
        except (KeyError, TypeError):
            return None
        kinds = frozenset(map(type, values))
        # both keys are there, so that it is two of each if it is two on average
        if (
            not items
            or sum(map(len, items)) != 2 * len(items)
            or not (_TIMES.issuperset(map(type, times)) and kinds <= _SIMPLE)
        ):
            return None
        return cls(items, times, values, kinds)


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
        return value if -_EXACT <= value <= _EXACT else _as_read(_float(value))
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
