"""The entries of an object: run a script on each, choose some, change them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Cursor, Point
from ..limits import bounded
from ..program import Program
from ..registry import Argument, Context, MakeStep, Run, Takes, transform
from ..values import to_integer, to_number, to_text, to_truth

_SCRIPT = Argument("What is run", Takes.SCRIPT)


def _entries(point: Point, otherwise: str = "Must have object-valued datapoint") -> dict[str, Any]:
    data = point["d"]
    if not isinstance(data, dict):
        raise PipeScriptError(otherwise)
    return data


def _last(script: Program, points: list[Point], run: Run) -> Point | None:
    """Return the last result of a script that starts afresh."""
    run.work(script.size * len(points))
    within = run.inner(False)
    results = Cursor(script.flow(iter(points), within))
    last = next(results, None)
    while results.peek() is not None:
        last = next(results)
    within.release()
    return last


def _each(script: Program, point: Point, run: Run) -> dict[str, Any]:
    """Return the result of a script for each entry, run afresh for each."""
    if script.steps:
        return {key: _alone(script, point["t"], value, run) for key, value in _entries(point).items()}
    found: dict[str, Any] = {}
    for key, value in _entries(point).items():
        result = _last(script, [{"t": point["t"], "d": value}], run)
        found[key] = None if result is None else result["d"]
    return found


def _alone(script: Program, time: float, value: Any, run: Run) -> Any:
    """Return the result of a script that starts afresh, for a single value."""
    run.work(script.size)
    within = run.inner(False)
    result = script.values(within)({"t": time, "d": value})
    within.release()
    return result


@transform("reduce", "Runs a script over the entries of an object", _SCRIPT, whole=True)
def reduce(context: Context, script: Program) -> MakeStep:
    """The last result of a script over all entries of an object; null for an empty one."""

    def make(run: Run) -> Callable[[Point], Point]:
        def step(point: Point) -> Point:
            values = _entries(point, "Datapoint's data can't be reduced").values()
            result = _last(script, [{"t": point["t"], "d": value} for value in values], run)
            return {"t": point["t"], "d": None} if result is None else result

        return step

    return make


@transform("filter", "Removes entries of an object", _SCRIPT)
def filter_(context: Context, script: Program) -> MakeStep:
    """The object without the entries for which the script is true."""

    def make(run: Run) -> Callable[[Point], dict[str, Any]]:
        def step(point: Point) -> dict[str, Any]:
            results = _each(script, point, run)
            return {key: value for key, value in _entries(point).items() if not to_truth(results[key])}

        return step

    return make


@transform("apply", "Changes each entry of an object", _SCRIPT, stateless=True)
def apply(context: Context, script: Program) -> MakeStep:
    """The object with the result of the script in place of each value."""
    return lambda run: lambda point: bounded(_each(script, point, run), run)


_WEIGHT = Argument("What is compared; the value, where it is left out", Takes.SCRIPT, "$")


def _best(sign: float) -> Callable[[Context, Any, Program], MakeStep]:
    def compile_(context: Context, number: Any, weight: Program) -> MakeStep:
        most = max(to_integer(number), 0)

        def make(run: Run) -> Callable[[Point], dict[str, Any]]:
            def step(point: Point) -> dict[str, Any]:
                entries = _entries(point)
                weights = {key: sign * to_number(value) for key, value in _each(weight, point, run).items()}
                best = sorted(weights, key=weights.__getitem__, reverse=True)[:most]
                return {key: entries[key] for key in best}

            return step

        return make

    return compile_


_NUMBER = Argument("How many", Takes.CONSTANT)
_KEPT = "An object of so many entries, those with the {} weights. The weight is a script that has each value alone."
transform(
    "top",
    "The entries with the greatest weights",
    _NUMBER,
    _WEIGHT,
    stateless=True,
    documentation=_KEPT.format("greatest"),
)(_best(1.0))
transform(
    "bottom",
    "The entries with the smallest weights",
    _NUMBER,
    _WEIGHT,
    stateless=True,
    documentation=_KEPT.format("smallest"),
)(_best(-1.0))


@transform("percent", "Shares of the total", stateless=True)
def percent(context: Context) -> MakeStep:
    """The object with each value divided by the total; negative ones count as 0."""

    def step(point: Point) -> dict[str, float]:
        values = {key: max(to_number(value), 0.0) for key, value in _entries(point).items()}
        total = sum(values.values())
        return {key: value / total if total else 0.0 for key, value in values.items()}

    return lambda run: step


_FIELD = Argument("The field", Takes.CONSTANT)


@transform("set", "Sets a field of an object", _FIELD, Argument("Its value"), stateless=True)
def set_(context: Context, field: Any) -> MakeStep:
    """A copy of the object with a field set."""
    name = to_text(field)
    return lambda run: lambda point, value: bounded({**_entries(point), name: value}, run)


@transform("del", "Removes a field of an object", _FIELD, stateless=True)
def del_(context: Context, field: Any) -> MakeStep:
    """A copy of the object without a field."""
    name = to_text(field)
    return lambda run: lambda point: {key: value for key, value in _entries(point).items() if key != name}
