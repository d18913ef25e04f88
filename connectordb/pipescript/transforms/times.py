"""Times of points: moving them, the time between two, and how long something was true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Point
from ..registry import Argument, Context, Flow, MakeStep, Run, Takes, transform
from ..values import to_number, to_truth


@transform(
    "tshift", "Moves datapoints in time", Argument("By how many seconds", Takes.CONSTANT), stateless=True, whole=True
)
def tshift(context: Context, seconds: Any) -> MakeStep:
    """The same data at a time so many seconds later."""
    shift = to_number(seconds)
    return lambda run: lambda point: {"t": point["t"] + shift, "d": point["d"]}


@transform("dt", "The time since the datapoint before")
def dt(context: Context) -> MakeStep:
    """Seconds since the datapoint before; 0 for the first, and after one at time 0."""

    def make(run: Run) -> Callable[[Point], float]:
        before = 0.0

        def step(point: Point) -> float:
            nonlocal before
            was, before = before, float(point["t"])
            return before - was if was else 0.0

        return step

    return make


def _periods(wanted: bool) -> Callable[[Context], Flow]:
    def compile_(context: Context) -> Flow:
        def flow(points: Iterator[Point], run: Run) -> Iterator[Point]:
            start: float | None = None
            last: Point | None = None
            for point in points:
                try:
                    holds = to_truth(point["d"]) is wanted
                except PipeScriptError as error:
                    error.at_point(point["t"])
                    raise
                if start is None:
                    start, last = (point["t"] if holds else None), None
                elif holds:
                    last = point
                else:
                    yield {"t": point["t"], "d": float(point["t"] - start)}
                    start = None
            if start is not None and last is not None:
                yield {"t": last["t"], "d": float(last["t"] - start)}

        return flow

    return compile_


def _lengths(name: str, description: str, wanted: bool) -> None:
    truth = str(wanted).lower()
    documentation = (
        f"For each stretch in which the data is {truth}, the seconds from its first datapoint to the one that ends it, at "
        "that one's time. A stretch that has not ended goes up to its last datapoint, if that is not its only one."
    )
    declared: dict[str, Any] = {"one_to_one": False, "keeps_step": False, "documentation": documentation}
    transform(name, description, how="flow", **declared)(_periods(wanted))


_lengths("ttrue", "How long the data was true, each time", True)
_lengths("tfalse", "How long the data was false, each time", False)
