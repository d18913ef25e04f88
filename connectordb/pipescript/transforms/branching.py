"""Keeping a point, choosing between scripts, and running one in stretches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from ...exceptions import PipeScriptError
from ..ahead import Cursor, Point
from ..program import Program, Step, beside
from ..registry import Argument, Context, Flow, MakeStep, Run, Takes, transform
from ..values import to_truth

_SCRIPT = Argument("What is run", Takes.SCRIPT)


@transform(
    "remember",
    "Keeps a datapoint",
    Argument("When to keep another one"),
    Argument("What is kept; the datapoint, where it is left out", Takes.POINT, "$"),
    whole=True,
)
def remember(context: Context) -> MakeStep:
    """The datapoint that was kept last: the first one, and each at which the condition is true."""

    def make(run: Run) -> Callable[[Point, Any, Point], Point]:
        kept: Point | None = None

        def step(point: Point, condition: Any, value: Point) -> Point:
            nonlocal kept
            if to_truth(condition) or kept is None:
                kept = value
            return kept

        return step

    return make


@transform(
    "ifelse",
    "Runs one of two scripts",
    Argument("Which of the two"),
    Argument("What is run where it is true", Takes.SCRIPT),
    Argument("What is run where it is false; the datapoint itself, where it is left out", Takes.SCRIPT, "$"),
    whole=True,
)
def ifelse(context: Context, then: Program, otherwise: Program) -> MakeStep:
    """The result of the one script or the other; each has only the datapoints that are given to it."""

    def make(run: Run) -> Callable[[Point, Any], Point]:
        yes, no = then.start(run), otherwise.start(run)
        return lambda point, condition: yes(point) if to_truth(condition) else no(point)

    return make


@transform("iwhile", "Runs a script anew wherever a condition is false", Argument("The condition"), _SCRIPT, whole=True)
def iwhile(context: Context, script: Program) -> MakeStep:
    """The results of the script, which starts afresh at each datapoint at which the condition is false."""

    def make(run: Run) -> Callable[[Point, Any], Point]:
        stretch = run.inner(run.again)
        running = script.start(stretch)

        def step(point: Point, condition: Any) -> Point:
            nonlocal running, stretch
            if not to_truth(condition):
                stretch.release()
                stretch = run.inner(True)
                running = script.start(stretch)
            result: Point = running(point)
            return result

        return step

    return make


@transform(
    "while",
    "Runs a script on stretches",
    Argument("What ends a stretch where it is false"),
    _SCRIPT,
    how="flow",
    keeps_step=False,
)
def while_(context: Context, condition: Program, script: Program) -> Flow:
    """
    The last result of the script for each stretch. A new stretch begins at each datapoint at which the condition is false.

    So the condition says of a datapoint whether it belongs to the stretch before it: ``while(not day:changed, sum)`` is the sum of
    each day, while ``while(day == next:day, sum)`` would end each stretch one datapoint too early.
    """

    def flow(points: Iterator[Point], run: Run) -> Iterator[Point]:
        rows = Cursor(_judged(points, condition, run))
        for _, point in rows:
            stretch = run.inner(True)
            step = script.start(stretch)
            try:
                result = step(point)
                while (following := rows.peek()) is not None:
                    point = following[1]
                    if not to_truth(following[0]["d"]):
                        break
                    next(rows)
                    result = step(point)
            except PipeScriptError as error:
                error.at_point(point["t"])
                raise
            stretch.release()
            yield result

    return flow


def _judged(points: Iterator[Point], condition: Program, run: Run) -> Iterator[tuple[Point, Point]]:
    """Return pairs of the condition's result at a point, and the point."""
    if not condition.steps:
        return cast("Iterator[tuple[Point, Point]]", beside(points, (condition,), run))
    return _judged_alone(points, condition.start(run))


def _judged_alone(points: Iterator[Point], judge: Step) -> Iterator[tuple[Point, Point]]:
    for point in points:
        try:
            result = judge(point)
        except PipeScriptError as error:
            error.at_point(point["t"])
            raise
        yield result, point
