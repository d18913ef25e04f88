"""Interpolators that return the value of a point near the time that they are asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..ahead import Ahead, Point


def before(points: Iterable[Point]) -> Callable[[float], Any]:
    """Return a column with the value of the last point at or before each time; null if there is none."""
    ahead = Ahead(points)

    def at(time: float) -> Any:
        ahead.skip(time)
        # the point that was passed may be later, if times do go back
        return _value(ahead.passed) if ahead.passed is not None and ahead.passed["t"] <= time else None

    return at


def after(points: Iterable[Point]) -> Callable[[float], Any]:
    """Return a column with the value of the first point later than each time; null if there is none."""
    ahead = Ahead(points)

    def at(time: float) -> Any:
        ahead.skip(time)
        return _value(ahead.next)

    return at


def closest(points: Iterable[Point]) -> Callable[[float], Any]:
    """Return a column with the value of the point closest to each time, the earlier one of two; null if there are no points."""
    ahead = Ahead(points)

    def at(time: float) -> Any:
        ahead.skip(time)
        passed, following = ahead.passed, ahead.next
        if passed is None or (following is not None and following["t"] - time < time - passed["t"]):
            return _value(following)
        return _value(passed)

    return at


def _value(point: Point | None) -> Any:
    return None if point is None else point.get("d")
