"""Running aggregates: what all datapoints so far come to."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Point
from ..registry import Argument, Context, MakeStep, Takes, transform
from ..values import to_number, to_text, to_truth

_COUNT = '{"type": "integer","minimum": 0}'


def _counting(begin: int) -> Callable[[Context], MakeStep]:
    def compile_(context: Context) -> MakeStep:
        def make(again: bool) -> Callable[[Point], int]:
            number = begin - 1

            def step(point: Point) -> int:
                nonlocal number
                number += 1
                return number

            return step

        return make

    return compile_


transform("count", "How many datapoints there were so far", oschema=_COUNT)(_counting(1))
transform("i", "How many datapoints there were before", oschema=_COUNT)(_counting(0))


@transform("sum", "The sum of the datapoints so far")
def sum_(context: Context) -> MakeStep:
    """The sum of the data so far, as numbers."""

    def make(again: bool) -> Callable[[Point], float]:
        total = 0.0

        def step(point: Point) -> float:
            nonlocal total
            data = point["d"]
            total += data if type(data) is float else to_number(data)
            return total

        return step

    return make


@transform("mean", "The mean of the datapoints so far")
def mean(context: Context) -> MakeStep:
    """The mean of the data so far, as numbers."""

    def make(again: bool) -> Callable[[Point], float]:
        total, number = 0.0, 0

        def step(point: Point) -> float:
            nonlocal total, number
            data = point["d"]
            total += data if type(data) is float else to_number(data)
            number += 1
            return total / number

        return step

    return make


_WEIGHT = Argument("What is compared; the data, where it is left out", Takes.VALUE, "$")


def _extreme(sign: float) -> Callable[[Context], MakeStep]:
    def compile_(context: Context) -> MakeStep:
        def make(again: bool) -> Callable[[Point, Any], Point]:
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


transform("max", "The datapoint with the greatest weight so far", _WEIGHT, whole=True)(_extreme(1.0))
transform("min", "The datapoint with the smallest weight so far", _WEIGHT, whole=True)(_extreme(-1.0))


@transform("alltrue", "Whether all datapoints were true so far")
def alltrue(context: Context) -> MakeStep:
    """True as long as the data was true."""

    def make(again: bool) -> Callable[[Point], bool]:
        all_ = True

        def step(point: Point) -> bool:
            nonlocal all_
            all_ = to_truth(point["d"]) and all_
            return all_

        return step

    return make


@transform("anytrue", "Whether a datapoint was true so far")
def anytrue(context: Context) -> MakeStep:
    """True once the data was true; also true from the beginning where it begins anew, as on the original."""

    def make(again: bool) -> Callable[[Point], bool]:
        any_ = again

        def step(point: Point) -> bool:
            nonlocal any_
            any_ = to_truth(point["d"]) or any_
            return any_

        return step

    return make


@transform("append", "The texts of the datapoints so far, one behind the other", oschema='{"type": "string"}')
def append(context: Context) -> MakeStep:
    """The data so far, as one text."""

    def make(again: bool) -> Callable[[Point], str]:
        text, size = "", 0

        def step(point: Point) -> str:
            nonlocal text, size
            more = to_text(point["d"])
            size += len(more.encode("utf-8", "surrogatepass"))
            if size > context.string_max:
                raise PipeScriptError(f"Reached maximum string length {context.string_max}.")
            text += more
            return text

        return step

    return make
