"""Sequences of points in which one can look ahead, or which several readers share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import tee
from sys import maxsize
from typing import Any

from ..exceptions import PipeScriptError
from .limits import KEPT, Run, size_of

#: ``{"t": seconds, "d": value}``; ``d`` may be missing if the value is null.
Point = dict[str, Any]


class Ahead:
    """
    A sequence of points in which the next point can be seen before it is taken, and the last one that was taken.

    Attributes:
        next: The next point; `None` after the last one.
        passed: The point that was taken last; `None` before the first.
    """

    __slots__ = ("_points", "next", "passed")

    def __init__(self, points: Iterable[Point]) -> None:
        self._points: Iterator[Point] = iter(points)
        self.passed: Point | None = None
        self.next: Point | None = next(self._points, None)

    def take(self) -> Point:
        """Return the next point, which must exist, and go on to the one after it."""
        assert self.next is not None
        self.passed = self.next
        self.next = next(self._points, None)
        return self.passed

    def window(self, until: float) -> Iterator[Point]:
        """Take and yield the points up to and including a time."""
        while self.next is not None and self.next["t"] <= until:
            yield self.take()

    def skip(self, until: float) -> None:
        """Take the points up to and including a time, and discard them."""
        following = self.next
        if following is None or following["t"] > until:
            return
        points = self._points
        while following is not None and following["t"] <= until:
            self.passed = following
            following = next(points, None)
        self.next = following


class Cursor:
    """
    A sequence in which one can look any number of places ahead.

    A look beyond a point that fails finds the end there. The error is raised when that point is taken.

    Args:
        points: The sequence.
        run: Counts the points that are held. A single point ahead need not be counted.
    """

    __slots__ = ("_ahead", "_ended", "_error", "_points", "_run")

    def __init__(self, points: Iterator[Any], run: Run | None = None) -> None:
        self._points = points
        self._run = run
        self._ahead: deque[Any] = deque()
        self._ended = False
        self._error: PipeScriptError | None = None

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._ahead:
            point = self._ahead.popleft()
            if self._run is not None:
                self._run.hold(-_weight(point))
            return point
        if self._error is not None:
            raise self._error
        return next(self._points)

    def peek(self, places: int = 1) -> Any:
        """Return the item that is *places* ahead; `None` if there is none."""
        ahead = self._ahead
        while len(ahead) < places and not self._ended:
            try:
                ahead.append(next(self._points))
            except StopIteration:
                self._ended = True
            except PipeScriptError as error:
                self._error, self._ended = error, True
            else:
                if self._run is not None:
                    self._run.hold(_weight(ahead[-1]))
        return ahead[places - 1] if len(ahead) >= places else None


def _weight(point: Point) -> int:
    return KEPT + size_of(point["d"], maxsize)


class _Failed:
    """Marks where a shared sequence failed."""

    __slots__ = ("error",)

    def __init__(self, error: PipeScriptError) -> None:
        self.error = error


def _kept(points: Iterator[Point]) -> Iterator[Point | _Failed]:
    try:
        yield from points
    except PipeScriptError as error:
        yield _Failed(error)


def _branch(points: Iterator[Point | _Failed]) -> Iterator[Point]:
    for point in points:
        if isinstance(point, _Failed):
            raise point.error
        yield point


def branched(points: Iterator[Point], times: int) -> Iterator[Iterator[Point]]:
    """Return several iterators over a sequence. Each yields its points, and fails where the sequence fails."""
    return map(_branch, tee(_kept(points), times))
