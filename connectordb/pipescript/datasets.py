"""Several sequences of points made into one: merged, or as the columns of rows (``docs/topics/wire.rst``, "Datasets")."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from math import inf

from ..exceptions import PipeScriptError
from .ahead import Ahead, Point
from .interpolators import Column, Interpolator, interpolator
from .script import Script

#: Column → its points, and the interpolator by which they become one: a name, or a script.
Columns = Mapping[str, tuple[Iterable[Point], str | Script]]

_Made = dict[str, Interpolator]


def merge(*sequences: Iterable[Point]) -> Iterator[Point]:
    """
    Yield the points of several sequences in order of time; of equal times those of the sequence named first come first.

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
    Yield a row every *dt* seconds: ``{"t": time, "d": {column: value}}``, a value that is missing as `None`.

    Args:
        t1: The first row's time, seconds since 1970.
        t2: Rows are earlier than this.
        dt: Seconds between rows, added one after the other.
        columns: What the columns are made of.

    Raises:
        PipeScriptError: There is no time between *t1* and *t2*, *dt* leads nowhere, or an interpolator is none.
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
        points: What the other columns are lined up with.
        columns: What they are made of.
        x: The name of the points' own column.

    Raises:
        PipeScriptError: There is a column called *x* already, or an interpolator is none.
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
    """Return what makes columns of points; an error in a name comes before the first row is asked for."""
    return {name: interpolator(kind) for name, (_, kind) in columns.items()}


def _asked(columns: Columns, made: _Made) -> dict[str, Column]:
    return {name: made[name](points) for name, (points, _) in columns.items()}
