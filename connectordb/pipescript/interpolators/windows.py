"""Interpolators over the window of a time: the points up to that time, and after the time before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..ahead import Ahead, Point
from ..values import to_number


def count(points: Iterable[Point]) -> Callable[[float], Any]:
    """Return a column with the number of points in each time's window."""
    ahead = Ahead(points)
    return lambda time: sum(1 for _ in ahead.window(time))


def total(points: Iterable[Point]) -> Callable[[float], Any]:
    """Return a column with the sum of the values in each time's window, 0 if it is empty. Its name is ``sum``."""
    ahead = Ahead(points)
    return lambda time: _sum(ahead, time)[0]


def mean(points: Iterable[Point]) -> Callable[[float], Any]:
    """Return a column with the mean of the values in each time's window, 0 if it is empty."""
    ahead = Ahead(points)

    def at(time: float) -> Any:
        whole, number = _sum(ahead, time)
        return whole / number if number else 0.0

    return at


def _sum(ahead: Ahead, time: float) -> tuple[float, int]:
    # added one after the other, as on the original server: math.fsum could differ in the last digit
    whole, number = 0.0, 0
    for point in ahead.window(time):
        data = point.get("d")
        whole += data if type(data) is float else to_number(data)
        number += 1
    return whole, number
