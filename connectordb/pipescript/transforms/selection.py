"""Selecting points: letting some pass, and finding out what distinguishes one from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import random
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Cursor, Point
from ..limits import KEPT
from ..registry import Argument, At, Context, Flow, MakeStep, Run, Source, Takes, Value, WriteStep, transform
from ..values import equal, to_integer, to_text, to_truth

_BOOLEAN = '{"type": "boolean"}'


@transform("if", "Lets datapoints pass", Argument("Which of them"), how="written", one_to_one=False, keeps_step=False)
def if_(context: Context) -> WriteStep:
    """Lets the datapoints pass for which the condition is true, and drops the others."""

    def write(source: Source, at: At, condition: Value) -> At:
        if condition.kind is bool:
            source.do("if not {0}: continue", condition)
        elif condition.kind is not None:
            source.do(f"if not {source.given(truth_of)}({{0}}): continue", condition)
        else:
            source.do(f"if {{0}} is not True and not {source.given(truth_of)}({{0}}): continue", condition)
        return at

    return write


def truth_of(value: Any) -> bool:
    """Return a condition's value as a truth value."""
    try:
        return to_truth(value)
    except PipeScriptError as error:
        raise PipeScriptError("Argument given to if can't be converted to boolean") from error


@transform("first", "Whether it is the first datapoint", oschema=_BOOLEAN)
def first(context: Context) -> MakeStep:
    """True for the first datapoint, false for the others."""

    def make(run: Run) -> Callable[[Point], bool]:
        begun = False

        def step(point: Point) -> bool:
            nonlocal begun
            was, begun = begun, True
            return not was

        return step

    return make


@transform("last", "Whether it is the last datapoint", peeks=True, how="flow", oschema=_BOOLEAN)
def last(context: Context) -> Flow:
    """True for the last datapoint, false for the others."""

    def flow(points: Iterator[Point], run: Run) -> Iterator[Point]:
        cursor = Cursor(points)
        for point in cursor:
            yield {"t": point["t"], "d": cursor.peek() is None}

    return flow


@transform(
    "next",
    "The datapoint some places further on",
    Argument("How many places", Takes.CONSTANT, 1.0),
    peeks=True,
    how="flow",
)
def next_(context: Context, places: Any) -> Flow:
    """The datapoint some places further on, with its own time; null after the last one."""
    number = to_integer(places)
    if number < 1:
        raise PipeScriptError("next must look at least one datapoint forward")
    if number > context.limits.peek_max:
        raise PipeScriptError(f"next cannot look more than {context.limits.peek_max} datapoints forward")

    def flow(points: Iterator[Point], run: Run) -> Iterator[Point]:
        cursor = Cursor(points, run if number > 1 else None)
        for point in cursor:
            yield cursor.peek(number) or {"t": point["t"], "d": None}

    return flow


@transform("changed", "Whether the data is other than before", how="data")
def changed(context: Context) -> MakeStep:
    """True where the data is not equal to that of the datapoint before; before the first there is null."""

    def make(run: Run) -> Callable[[Any], bool]:
        before: Any = None

        def step(data: Any) -> bool:
            nonlocal before
            was, before = before, data
            return not equal(was, before)

        return step

    return make


@transform("new", "Whether the data did not occur before", how="data", oschema=_BOOLEAN)
def new(context: Context) -> MakeStep:
    """True where the data, as a text, did not occur before."""

    def make(run: Run) -> Callable[[Any], bool]:
        seen: set[str] = set()

        def step(data: Any) -> bool:
            text = to_text(data)
            if text in seen:
                return False
            if len(seen) >= run.limits.split_max:
                raise PipeScriptError(f"Reached maximum split amount {run.limits.split_max}.")
            run.hold(len(text) + KEPT)
            seen.add(text)
            return True

        return step

    return make


@transform("rand", "A random number", oschema='{"type": "number","minimum": 0, "exclusiveMaximum": 1}')
def rand(context: Context) -> MakeStep:
    """A random number from 0 up to 1 for each datapoint."""
    return lambda run: lambda point: random()
