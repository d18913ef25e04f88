"""Combining several sequences of points: by merging them, or as columns of rows (``docs/topics/wire.rst``, "Datasets")."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from math import inf

from ..exceptions import PipeScriptError
from .ahead import Ahead, Point
from .interpolators import Column, Interpolator, interpolator
from .script import Script

#: For each column its points, and the interpolator that makes a column of them: a name, or a script.
Columns = Mapping[str, tuple[Iterable[Point], str | Script]]

_Made = dict[str, Interpolator]


def merge(*sequences: Iterable[Point]) -> Iterator[Point]:
    """
    Yield the points of several sequences in order of time. Of points with equal times, those of the earlier sequence come first.

    Args:
        sequences: Points, each sequence in order of time.
    """
    aheads = [Ahead(points) for points in sequences]
    heap = [(ahead.next["t"], number) for number, ahead in enumerate(aheads) if ahead.next is not None]
    heapq.heapify(heap)
    while heap:
        _, number = heap[0]
        ahead = aheads[number]
        point = ahead.take()
        if ahead.next is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (ahead.next["t"], number))
        yield point


def tdataset(t1: float, t2: float, dt: float, columns: Columns) -> Iterator[Point]:
    """
    Yield a row every *dt* seconds: ``{"t": time, "d": {column: value}}``, with `None` for a missing value.

    Args:
        t1: The time of the first row, in seconds since 1970.
        t2: Rows end before this time.
        dt: Seconds between rows.
        columns: The columns.

    Raises:
        PipeScriptError: *t2* is not later than *t1*, *dt* makes no progress, or an interpolator is not valid.
    """
    if not (t1 < t2 and dt > 0 and t1 + dt > t1 and t2 < inf):
        raise PipeScriptError(f"Invalid time range given: from {t1!r} to {t2!r} by {dt!r} s")
    return _timed_rows(float(t1), t2, dt, columns, _interpolators(columns))


def _timed_rows(time: float, t2: float, dt: float, columns: Columns, made: _Made) -> Iterator[Point]:
    asked = _asked(columns, made)
    while time < t2:
        yield {"t": time, "d": {name: column(time) for name, column in asked.items()}}
        time += dt


def xdataset(points: Iterable[Point], columns: Columns, x: str = "x") -> Iterator[Point]:
    """
    Yield a row for each of *points*, at its time and with its value under *x*.

    Args:
        points: The points that rows are made for.
        columns: The other columns.
        x: The name of the column for the points themselves.

    Raises:
        PipeScriptError: There is another column called *x*, or an interpolator is not valid.
    """
    if x in columns:
        raise PipeScriptError(f"Dataset already contains field of name '{x}'")
    return _lined_up(points, columns, _interpolators(columns), x)


def _lined_up(points: Iterable[Point], columns: Columns, made: _Made, x: str) -> Iterator[Point]:
    asked = _asked(columns, made)
    for point in points:
        time = point["t"]
        yield {"t": time, "d": {x: point.get("d"), **{name: column(time) for name, column in asked.items()}}}


def _interpolators(columns: Columns) -> _Made:
    """Return the interpolators. This is done early, so that an error in one comes before the first row is asked for."""
    return {name: interpolator(kind) for name, (_, kind) in columns.items()}


def _asked(columns: Columns, made: _Made) -> dict[str, Column]:
    return {name: made[name](points) for name, (points, _) in columns.items()}
