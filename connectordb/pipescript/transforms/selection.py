"""Which points: letting some pass, and what makes one special among the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import random
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Point
from ..program import Cursor, Program, beside
from ..registry import Argument, Context, MakeFlow, MakeStep, Takes, transform
from ..values import equal, to_integer, to_text, to_truth

_BOOLEAN = '{"type": "boolean"}'


@transform("if", "Lets datapoints pass", Argument("Which of them"), one_to_one=False, flows=True)
def if_(context: Context, condition: Program) -> MakeFlow:
    """Lets the datapoints pass for which the condition is true, and drops the others."""

    def flow(points: Iterator[Point], again: bool) -> Iterator[Point]:
        if condition.start is None:
            for result, point in beside(points, (condition,), again):
                if truth_of(result["d"]):
                    yield point
            return
        value = condition.values(again)
        for point in points:
            result = value(point)
            if result is True or (result is not False and truth_of(result)):
                yield point

    return flow


def truth_of(value: Any) -> bool:
    """Return a condition's value as a truth value."""
    try:
        return to_truth(value)
    except PipeScriptError as error:
        raise PipeScriptError("Argument given to if can't be converted to boolean") from error


@transform("first", "Whether it is the first datapoint", oschema=_BOOLEAN)
def first(context: Context) -> MakeStep:
    """True for the first datapoint, false for the others."""

    def make(again: bool) -> Callable[[Point], bool]:
        begun = False

        def step(point: Point) -> bool:
            nonlocal begun
            was, begun = begun, True
            return not was

        return step

    return make


@transform("last", "Whether it is the last datapoint", peeks=True, flows=True, oschema=_BOOLEAN)
def last(context: Context) -> MakeFlow:
    """True for the last datapoint, false for the others."""

    def flow(points: Iterator[Point], again: bool) -> Iterator[Point]:
        cursor = Cursor(points)
        for point in cursor:
            yield {"t": point["t"], "d": cursor.peek() is None}

    return flow


@transform(
    "next",
    "The datapoint some places further down",
    Argument("How many places", Takes.CONSTANT, 1.0),
    peeks=True,
    flows=True,
)
def next_(context: Context, places: Any) -> MakeFlow:
    """The datapoint some places further down, with its own time; null behind the last one."""
    number = to_integer(places)
    if number < 1:
        raise PipeScriptError("next must look at least one datapoint forward")
    if number > context.peek_max:
        raise PipeScriptError(f"next cannot look more than {context.peek_max} datapoints forward")

    def flow(points: Iterator[Point], again: bool) -> Iterator[Point]:
        cursor = Cursor(points)
        for point in cursor:
            yield cursor.peek(number) or {"t": point["t"], "d": None}

    return flow


@transform("changed", "Whether the data is other than before")
def changed(context: Context) -> MakeStep:
    """True where the data is not equal to that of the datapoint before; before the first there is null."""

    def make(again: bool) -> Callable[[Point], bool]:
        before: Any = None

        def step(point: Point) -> bool:
            nonlocal before
            was, before = before, point["d"]
            return not equal(was, before)

        return step

    return make


@transform("new", "Whether the data did not occur before", oschema=_BOOLEAN)
def new(context: Context) -> MakeStep:
    """True where the data, as a text, did not occur before."""

    def make(again: bool) -> Callable[[Point], bool]:
        seen: set[str] = set()

        def step(point: Point) -> bool:
            text = to_text(point["d"])
            if text in seen:
                return False
            if len(seen) >= context.split_max:
                raise PipeScriptError(f"Reached maximum map amount {context.split_max}.")
            seen.add(text)
            return True

        return step

    return make


@transform("rand", "A random number", oschema='{"type": "number","minimum": 0, "exclusiveMaximum": 1}')
def rand(context: Context) -> MakeStep:
    """A random number from 0 up to 1 for each datapoint."""
    return lambda again: lambda point: random()
