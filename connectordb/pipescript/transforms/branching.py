"""Keeping a point, choosing between scripts, and running one in stretches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..ahead import Point
from ..program import Cursor, Program, beside
from ..registry import Argument, Context, MakeFlow, MakeStep, Takes, transform
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

    def make(again: bool) -> Callable[[Point, Any, Point], Point]:
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

    def make(again: bool) -> Callable[[Point, Any], Point]:
        yes, no = then.points(again), otherwise.points(again)
        return lambda point, condition: yes(point) if to_truth(condition) else no(point)

    return make


@transform("iwhile", "Runs a script anew wherever a condition is false", Argument("The condition"), _SCRIPT, whole=True)
def iwhile(context: Context, script: Program) -> MakeStep:
    """The results of the script, which begins anew at each datapoint at which the condition is false."""

    def make(again: bool) -> Callable[[Point, Any], Point]:
        running = script.points(again)

        def step(point: Point, condition: Any) -> Point:
            nonlocal running
            if not to_truth(condition):
                running = script.points(True)
            result: Point = running(point)
            return result

        return step

    return make


@transform(
    "while", "Runs a script on stretches", Argument("What ends a stretch where it is false"), _SCRIPT, flows=True
)
def while_(context: Context, condition: Program, script: Program) -> MakeFlow:
    """The last result of the script for each stretch; one begins at each datapoint at which the condition is false."""

    def flow(points: Iterator[Point], again: bool) -> Iterator[Point]:
        pairs = Cursor({"result": result, "point": point} for result, point in beside(points, (condition,), again))
        for pair in pairs:
            step = script.points(True)
            result = step(pair["point"])
            while (following := pairs.peek()) is not None and to_truth(following["result"]["d"]):
                result = step(next(pairs)["point"])
            yield result

    return flow
