"""Interpolators over the window of a time: the points up to it which no earlier time had."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..ahead import Ahead, Point
from ..values import to_number


def count(points: Iterable[Point]) -> Callable[[float], Any]:
    """Have the number of points in each time's window."""
    ahead = Ahead(points)
    return lambda time: sum(1 for _ in ahead.window(time))


def total(points: Iterable[Point]) -> Callable[[float], Any]:
    """Have the sum of the values in each time's window, 0 where it is empty; called ``sum``."""
    ahead = Ahead(points)
    return lambda time: _sum(ahead, time)[0]


def mean(points: Iterable[Point]) -> Callable[[float], Any]:
    """Have the mean of the values in each time's window, 0 where it is empty."""
    ahead = Ahead(points)

    def at(time: float) -> Any:
        whole, number = _sum(ahead, time)
        return whole / number if number else 0.0

    return at


def _sum(ahead: Ahead, time: float) -> tuple[float, int]:
    # by repeated addition, as the original does it: math.fsum would differ in the last digit
    whole, number = 0.0, 0
    for point in ahead.window(time):
        data = point.get("d")
        whole += data if type(data) is float else to_number(data)
        number += 1
    return whole, number
