"""Interpolators that return one of the points near the time they are asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..ahead import Ahead, Point


def before(points: Iterable[Point]) -> Callable[[float], Any]:
    """Have the value of the last point at or before each time; null where there is none."""
    ahead = Ahead(points)

    def at(time: float) -> Any:
        ahead.skip(time)
        # what was passed may be later, where times do go back
        return _value(ahead.passed) if ahead.passed is not None and ahead.passed["t"] <= time else None

    return at


def after(points: Iterable[Point]) -> Callable[[float], Any]:
    """Have the value of the first point later than each time; null where there is none."""
    ahead = Ahead(points)

    def at(time: float) -> Any:
        ahead.skip(time)
        return _value(ahead.next)

    return at


def closest(points: Iterable[Point]) -> Callable[[float], Any]:
    """Have the value of the point nearest to each time, of two as near that of the earlier; null if there are no points."""
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
