"""
Compiled scripts: what is known of one, and the two ways in which it runs.

A script that gives one result for each point as it comes is a *step*: a function that is made anew for each run and called with
one point after the other. Everything else is a *flow*: a function from points to points, which may look ahead, leave out or hold
back. A step is also a flow; a flow beside a step, as the argument of a transform, gets the points from a shared sequence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import tee
from typing import Any

from ..exceptions import PipeScriptError
from .ahead import Point

#: Called with each point.
Step = Callable[[Point], Any]

#: Makes a step for a run; told whether a run came to its end before, which one transform remembers.
Start = Callable[[bool], Step]

#: Makes a run's results of its points.
Flow = Callable[[Iterator[Point], bool], Iterator[Point]]


@dataclass(frozen=True, slots=True)
class Program:
    """
    A script that can be run.

    Attributes:
        flow: How it runs on a sequence.
        start: How it runs point by point; `None` where it cannot.
        whole: Whether a step returns whole points, whose times may be others, rather than values.
        one_to_one: Whether it is declared to give one result for each point.
        constant: Whether its result is always the same.
        stateless: Whether it is declared to know nothing of other points.
        peeks: Whether it is declared to look at later points.
    """

    flow: Flow
    start: Start | None = None
    whole: bool = False
    one_to_one: bool = True
    constant: bool = False
    stateless: bool = False
    peeks: bool = False

    def values(self, again: bool) -> Step:
        """Return a step that returns values."""
        assert self.start is not None
        step = self.start(again)
        return (lambda point: step(point)["d"]) if self.whole else step

    def points(self, again: bool) -> Step:
        """Return a step that returns points."""
        assert self.start is not None
        step = self.start(again)
        return step if self.whole else (lambda point: {"t": point["t"], "d": step(point)})


def flow_of(start: Start, whole: bool) -> Flow:
    """Return the flow that a step is."""

    def valued(points: Iterator[Point], again: bool) -> Iterator[Point]:
        step = start(again)
        for point in points:
            yield {"t": point["t"], "d": step(point)}

    return (lambda points, again: map(start(again), points)) if whole else valued


class Cursor:
    """
    A sequence that can be looked at further down.

    Whoever looks further than a point that fails sees an end there; the failure comes when that point is taken.
    """

    __slots__ = ("_ahead", "_ended", "_error", "_points")

    def __init__(self, points: Iterator[Point]) -> None:
        self._points = points
        self._ahead: deque[Point] = deque()
        self._ended = False
        self._error: PipeScriptError | None = None

    def __iter__(self) -> Iterator[Point]:
        return self

    def __next__(self) -> Point:
        if self._ahead:
            return self._ahead.popleft()
        if self._error is not None:
            raise self._error
        return next(self._points)

    def peek(self, places: int = 1) -> Point | None:
        """Return the point so many places further down; `None` behind the last one."""
        ahead = self._ahead
        while len(ahead) < places and not self._ended:
            try:
                ahead.append(next(self._points))
            except StopIteration:
                self._ended = True
            except PipeScriptError as error:
                self._error, self._ended = error, True
        return ahead[places - 1] if len(ahead) >= places else None


class _Failed:
    """Stands where a sequence failed, for those who share it."""

    __slots__ = ("error",)

    def __init__(self, error: PipeScriptError) -> None:
        self.error = error


def shared(points: Iterator[Point], times: int) -> list[Iterator[Point]]:
    """Return a sequence several times; each has its points, and fails where it fails."""
    return [_branch(branch) for branch in tee(_kept(points), times)]


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


def beside(points: Iterator[Point], programs: tuple[Program, ...], again: bool) -> Iterator[tuple[Any, ...]]:
    """Yield for each point what the programs make of it, as points, and the point itself."""
    if all(program.start for program in programs):
        steps = [program.points(again) for program in programs]
        for point in points:
            yield (*[step(point) for step in steps], point)
        return
    *branches, own = shared(points, len(programs) + 1)
    flows = [program.flow(branch, again) for program, branch in zip(programs, branches, strict=True)]
    yield from zip(*flows, own)  # noqa: B905  a flow that fails ends it, one that is short cannot be told from the end
