"""Splitting by key: each key has its own run of a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Point
from ..limits import KEPT, size_of
from ..program import Program
from ..registry import Argument, At, Context, MakeStep, Run, Source, Takes, Value, WriteStep, transform
from ..values import to_text

_ARGS = (Argument("The key"), Argument("What is run for each key", Takes.SCRIPT))


#: What is kept for a key: its step, and the last result of that.
_Cell = list[Any]

#: Types of results that may be large.
_HEAVY = frozenset((str, dict, list))


class Split:
    """
    The runs of a script, and their last results, by key.

    Attributes:
        quick: The cells of keys that need not be converted to text.
        time: The time of the last point.
    """

    def __init__(self, script: Program, run: Run) -> None:
        self._begin = script.on_data or script.values
        self._on_data = script.on_data is not None
        self._run = run
        self._cells: dict[str, _Cell] = {}
        self.quick: dict[str | bool, _Cell] = {}
        self.time = 0.0

    def found(self, key: Any) -> _Cell:
        """Return the cell of a key."""
        text = to_text(key)
        cell = self._cells.get(text)
        if cell is None:
            most = self._run.limits.split_max
            if len(self._cells) >= most:
                raise PipeScriptError(f"Reached maximum map amount {most}.")
            self._run.hold(len(text) + 10 * KEPT)
            cell = self._cells[text] = [self._begin(self._run), None]
        if isinstance(key, (str, bool)):  # no numbers, as in a dict 1 would be the same key as True
            self.quick[key] = cell
        return cell

    def weigh(self, cell: _Cell, result: Any) -> None:
        """Count the memory of a result, before it is put in its cell."""
        limit = self._run.limits.value_max
        self._run.hold(size_of(result, limit) - size_of(cell[1], limit))

    def take(self, key: Any, point: Point) -> dict[str, Any]:
        """Run the script for a key; return the last results of all keys so far."""
        cell = self.found(key)
        result = cell[0](point["d"] if self._on_data else point)
        if type(result) in _HEAVY:
            self.weigh(cell, result)
        cell[1] = result
        self._run.work(len(self._cells))
        return {text: cell[1] for text, cell in self._cells.items()}

    def gathered(self) -> Iterator[Point]:
        """Yield the last results of all keys as a point, if there was any point."""
        if self._cells:
            yield {"t": self.time, "d": {text: cell[1] for text, cell in self._cells.items()}}


@transform("map", "Splits by key", *_ARGS, how="written", one_to_one=False, keeps_step=False, gathers=True)
def map_(context: Context, script: Program) -> WriteStep:
    """An object of the last result for each key, at the end."""

    def write(source: Source, at: At, key: Value) -> At:
        split = source.begun(lambda run: Split(script, run))
        quick = f"{source.member(split, 'quick.get')}({{0}})"
        if key.kind is not bool:
            quick = f"({quick} if {{0}}.__class__ is str or {{0}}.__class__ is bool else None)"
        cell = source.compute(f"{quick} or {source.member(split, 'found')}({{0}})", key)
        result = source.compute("{0}[0]({1})", cell, at.data if script.on_data else at.point)
        heavy = source.given(_HEAVY)
        source.do(f"if {{1}}.__class__ in {heavy}: {source.member(split, 'weigh')}({{0}}, {{1}})", cell, result)
        source.do("{0}[1] = {1}", cell, result)
        source.do(f"{split}.time = {{0}}", at.time)
        return At(source, rest=[Value(f"{split}.gathered()")])

    return write


@transform("imap", "Splits by key, as it goes", *_ARGS)
def imap(context: Context, script: Program) -> MakeStep:
    """An object of the last result for each key so far."""

    def make(run: Run) -> Callable[[Point, Any], dict[str, Any]]:
        split = Split(script, run)
        return lambda point, key: split.take(key, point)

    return make
