"""Running aggregates over all datapoints so far."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Point
from ..registry import Argument, Context, MakeStep, Run, Takes, transform
from ..values import to_number, to_text, to_truth

_COUNT = '{"type": "integer","minimum": 0}'


def _counting(begin: int) -> Callable[[Context], MakeStep]:
    def compile_(context: Context) -> MakeStep:
        def make(run: Run) -> Callable[[Any], int]:
            number = begin - 1

            def step(data: Any) -> int:
                nonlocal number
                number += 1
                return number

            return step

        return make

    return compile_


transform("count", "How many datapoints there were so far", how="data", oschema=_COUNT)(_counting(1))
transform("i", "How many datapoints there were before", how="data", oschema=_COUNT)(_counting(0))


@transform("sum", "The sum of the datapoints so far", how="data")
def sum_(context: Context) -> MakeStep:
    """The sum of the data so far, as numbers."""

    def make(run: Run) -> Callable[[Any], float]:
        total = 0.0

        def step(data: Any) -> float:
            nonlocal total
            total += data if type(data) is float else to_number(data)
            return total

        return step

    return make


@transform("mean", "The mean of the datapoints so far", how="data")
def mean(context: Context) -> MakeStep:
    """The mean of the data so far, as numbers."""

    def make(run: Run) -> Callable[[Any], float]:
        total, number = 0.0, 0

        def step(data: Any) -> float:
            nonlocal total, number
            total += data if type(data) is float else to_number(data)
            number += 1
            return total / number

        return step

    return make


_KEPT = (
    "The datapoint whose weight was the {} so far, as it was: with its own time, and with its data, not the weight. "
    "Of equal ones the first."
)
_WEIGHT = Argument("What is compared; the data, where it is left out", Takes.VALUE, "$")


def _extreme(sign: float) -> Callable[[Context], MakeStep]:
    def compile_(context: Context) -> MakeStep:
        def make(run: Run) -> Callable[[Point, Any], Point]:
            best, kept = -inf, None

            def step(point: Point, weight: Any) -> Point:
                nonlocal best, kept
                number = sign * to_number(weight)
                if number > best:
                    best, kept = number, point
                if kept is None:
                    raise PipeScriptError("there is no datapoint yet with a weight that can be compared")
                return kept

            return step

        return make

    return compile_


transform(
    "max", "The datapoint with the greatest weight so far", _WEIGHT, whole=True, documentation=_KEPT.format("greatest")
)(_extreme(1.0))
transform(
    "min", "The datapoint with the smallest weight so far", _WEIGHT, whole=True, documentation=_KEPT.format("smallest")
)(_extreme(-1.0))


@transform("alltrue", "Whether all datapoints were true so far", how="data")
def alltrue(context: Context) -> MakeStep:
    """True as long as the data was true."""

    def make(run: Run) -> Callable[[Any], bool]:
        all_ = True

        def step(data: Any) -> bool:
            nonlocal all_
            all_ = to_truth(data) and all_
            return all_

        return step

    return make


@transform("anytrue", "Whether a datapoint was true so far", how="data")
def anytrue(context: Context) -> MakeStep:
    """True once the data was true. When it starts afresh, it is true from the beginning, as on the original server."""

    def make(run: Run) -> Callable[[Any], bool]:
        any_ = run.again

        def step(data: Any) -> bool:
            nonlocal any_
            any_ = to_truth(data) or any_
            return any_

        return step

    return make


@transform(
    "append", "The texts of the datapoints so far, one behind the other", how="data", oschema='{"type": "string"}'
)
def append(context: Context) -> MakeStep:
    """The data so far, as one text."""

    def make(run: Run) -> Callable[[Any], str]:
        text, size = "", 0

        def step(data: Any) -> str:
            nonlocal text, size
            more = to_text(data)
            added = len(more.encode("utf-8", "surrogatepass"))
            size += added
            run.hold(added)
            if size > run.limits.string_max:
                raise PipeScriptError(f"Reached maximum string length {run.limits.string_max}.")
            text += more
            return text

        return step

    return make
