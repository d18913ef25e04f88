"""The entries of an object: run a script on each, choose some, change them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Point
from ..program import Cursor, Program
from ..registry import Argument, Context, MakeStep, Takes, transform
from ..values import to_integer, to_number, to_text, to_truth

_SCRIPT = Argument("What is run", Takes.SCRIPT)


def _entries(point: Point) -> dict[str, Any]:
    data = point["d"]
    if not isinstance(data, dict):
        raise PipeScriptError("Must have object-valued datapoint")
    return data


def _last(script: Program, points: list[Point]) -> Point | None:
    """Return the last result of a script that is begun anew."""
    results = Cursor(script.flow(iter(points), False))
    last = next(results, None)
    while results.peek() is not None:
        last = next(results)
    return last


def _each(script: Program, point: Point) -> dict[str, Any]:
    """Return what a script makes of each entry, alone."""
    found: dict[str, Any] = {}
    for key, value in _entries(point).items():
        result = _last(script, [{"t": point["t"], "d": value}])
        found[key] = None if result is None else result["d"]
    return found


@transform("reduce", "Runs a script over the entries of an object", _SCRIPT, whole=True)
def reduce(context: Context, script: Program) -> MakeStep:
    """The last result of a script over all entries of an object; null for an empty one."""

    def step(point: Point) -> Point:
        result = _last(script, [{"t": point["t"], "d": value} for value in _entries(point).values()])
        return {"t": point["t"], "d": None} if result is None else result

    return lambda again: step


@transform("filter", "Removes entries of an object", _SCRIPT)
def filter_(context: Context, script: Program) -> MakeStep:
    """The object without the entries of which the script says true."""

    def step(point: Point) -> dict[str, Any]:
        results = _each(script, point)
        return {key: value for key, value in _entries(point).items() if not to_truth(results[key])}

    return lambda again: step


@transform("apply", "Changes each entry of an object", _SCRIPT, stateless=True)
def apply(context: Context, script: Program) -> MakeStep:
    """The object with the result of the script in place of each value."""
    return lambda again: lambda point: _each(script, point)


_WEIGHT = Argument("What is compared; the value, where it is left out", Takes.SCRIPT, "$")


def _best(sign: float) -> Callable[[Context, Any, Program], MakeStep]:
    def compile_(context: Context, number: Any, weight: Program) -> MakeStep:
        most = max(to_integer(number), 0)

        def step(point: Point) -> dict[str, Any]:
            entries = _entries(point)
            weights = {key: sign * to_number(value) for key, value in _each(weight, point).items()}
            best = sorted(weights, key=weights.__getitem__, reverse=True)[:most]
            return {key: entries[key] for key in best}

        return lambda again: step

    return compile_


_NUMBER = Argument("How many", Takes.CONSTANT)
transform("top", "The entries with the greatest weights", _NUMBER, _WEIGHT, stateless=True)(_best(1.0))
transform("bottom", "The entries with the smallest weights", _NUMBER, _WEIGHT, stateless=True)(_best(-1.0))


@transform("percent", "Shares of the total", stateless=True)
def percent(context: Context) -> MakeStep:
    """The object with each value divided by the total; negative ones count as 0."""

    def step(point: Point) -> dict[str, float]:
        values = {key: max(to_number(value), 0.0) for key, value in _entries(point).items()}
        total = sum(values.values())
        return {key: value / total if total else 0.0 for key, value in values.items()}

    return lambda again: step


_FIELD = Argument("The field", Takes.CONSTANT)


@transform("set", "Sets a field of an object", _FIELD, Argument("Its value"), stateless=True)
def set_(context: Context, field: Any) -> MakeStep:
    """A copy of the object with a field set."""
    name = to_text(field)
    return lambda again: lambda point, value: {**_entries(point), name: value}


@transform("del", "Removes a field of an object", _FIELD, stateless=True)
def del_(context: Context, field: Any) -> MakeStep:
    """A copy of the object without a field."""
    name = to_text(field)
    return lambda again: lambda point: {key: value for key, value in _entries(point).items() if key != name}
