"""Points that are looked at before they are taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

#: ``{"t": seconds, "d": value}``; ``d`` may be missing where the value is null.
Point = dict[str, Any]


class Ahead:
    """
    A sequence of points with a view of the next one, and of the last that was taken.

    Attributes:
        next: The next point; `None` behind the last one.
        passed: The point that was taken last; `None` before the first.
    """

    __slots__ = ("_points", "next", "passed")

    def __init__(self, points: Iterable[Point]) -> None:
        self._points: Iterator[Point] = iter(points)
        self.passed: Point | None = None
        self.next: Point | None = next(self._points, None)

    def take(self) -> Point:
        """Return the next point, which there must be, and go on."""
        assert self.next is not None
        self.passed = self.next
        self.next = next(self._points, None)
        return self.passed

    def window(self, until: float) -> Iterator[Point]:
        """Take the points up to and with a time."""
        while self.next is not None and self.next["t"] <= until:
            yield self.take()

    def skip(self, until: float) -> None:
        """Take the points up to and with a time, and leave them."""
        following = self.next
        if following is None or following["t"] > until:
            return
        points = self._points
        while following is not None and following["t"] <= until:
            self.passed = following
            following = next(points, None)
        self.next = following
