"""Splitting by key: a script of its own for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Point
from ..program import Program, Step, beside
from ..registry import Argument, Context, MakeFlow, MakeStep, Takes, transform
from ..values import to_text

_ARGS = (Argument("The key"), Argument("What is run for each key", Takes.SCRIPT))


class _Split:
    """Scripts by key, and the last result of each."""

    def __init__(self, script: Program, most: int, again: bool) -> None:
        self._script = script
        self._most = most
        self._again = again
        self._steps: dict[str, Step] = {}
        self.results: dict[str, Any] = {}

    def take(self, key: Any, point: Point) -> None:
        """Run the script of a key."""
        text = "true" if key is True else "false" if key is False else to_text(key)
        step = self._steps.get(text)
        if step is None:
            if len(self._steps) >= self._most:
                raise PipeScriptError(f"Reached maximum split amount {self._most}.")
            step = self._steps[text] = self._script.values(self._again)
        self.results[text] = step(point)


@transform("map", "Splits by key", *_ARGS, one_to_one=False, flows=True)
def map_(context: Context, key: Program, script: Program) -> MakeFlow:
    """An object of the last result for each key, at the end."""

    def flow(points: Iterator[Point], again: bool) -> Iterator[Point]:
        split = _Split(script, context.split_max, again)
        point: Point | None = None
        if key.start is not None:
            value = key.values(again)
            for point in points:
                split.take(value(point), point)
        else:
            for result, point in beside(points, (key,), again):
                split.take(result["d"], point)
        if point is not None:
            yield {"t": point["t"], "d": split.results}

    return flow


@transform("imap", "Splits by key, as it goes", *_ARGS)
def imap(context: Context, script: Program) -> MakeStep:
    """An object of the last result for each key so far."""

    def make(again: bool) -> Callable[[Point, Any], dict[str, Any]]:
        split = _Split(script, context.split_max, again)

        def step(point: Point, key: Any) -> dict[str, Any]:
            split.take(key, point)
            return dict(split.results)

        return step

    return make
