"""Limits on how large a script may be, and on what a run may hold, so that a stranger's script cannot take more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import compress, count
from operator import length_hint
from typing import Any

from ..exceptions import PipeScriptError

#: How deeply lists and objects may be nested. JSON encoders do not go much further.
MAX_DEPTH = 250

#: How many bytes a value in a list or an object counts, besides the characters of its text.
_EACH = 8

#: How many bytes a text that is kept takes, besides its characters.
KEPT = 100

#: How many operations there may be between two calls of `Limits.watch`.
_PATIENCE = 100_000


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What a script may take.

    Attributes:
        length: Characters of a script.
        nesting: How deeply scripts, operands and stages may be nested.
        split_max: Keys of a map, and values that ``new`` remembers.
        string_max: Bytes of a text that is put together.
        peek_max: Points that ``next`` looks ahead.
        value_max: Bytes, approximately, of a value that is put together.
        held_max: Bytes, approximately, that a run may hold: keys, remembered values, texts that are put together.
        watch: Called now and then during work that may take long for a single point. If it raises, the run ends.
    """

    length: int = 100_000
    nesting: int = 100
    split_max: int = 50_000
    string_max: int = 1_000_000
    peek_max: int = 100
    value_max: int = 10_000_000
    held_max: int = 200_000_000
    watch: Callable[[], None] = _nothing


class Run:
    """
    One run of a script, which counts what it takes.

    Attributes:
        limits: What it may take.
        again: Whether the script was run before, which makes a difference to one transform.
        held: Bytes that it holds.
        points: The points from outside.
    """

    __slots__ = ("_outer", "_size", "_ticks", "_work", "again", "held", "limits", "points")

    def __init__(self, limits: Limits, again: bool = False, outer: Run | None = None) -> None:
        self.limits = limits
        self.again = again
        self.held = 0
        self._outer = outer
        self._work = 0
        self._ticks = count(1)
        self._size: int | None = None
        self.points: Iterator[Any] | None = None

    def counted(self, points: Iterable[Any]) -> Iterator[Any]:
        """Return an iterator over the points from outside, by which `index` knows how many were taken."""
        if isinstance(points, (list, tuple)):
            self._size = len(points)
            self.points = iter(points)  # a list's iterator knows how many are left
        else:
            self.points = compress(points, self._ticks)
        return self.points

    def index(self) -> int:
        """Return the index of the point that was taken last, beginning with 0. May be called only once."""
        return next(self._ticks) - 2 if self._size is None else self._size - 1 - length_hint(self.points)

    def inner(self, again: bool) -> Run:
        """Return a run inside of this one, whose memory can be released before this one ends."""
        return Run(self.limits, again, self)

    def hold(self, size: int) -> None:
        """
        Count memory that is held until the run ends.

        Raises:
            PipeScriptError: It is too much.
        """
        run: Run | None = self
        while run is not None:
            run.held += size
            outermost, run = run, run._outer
        if outermost.held > self.limits.held_max:
            raise PipeScriptError(f"Reached maximum memory {self.limits.held_max}.")

    def release(self) -> None:
        """Release the memory of an inner run."""
        if self._outer is not None:
            self._outer.hold(-self.held)
        self.held = 0

    def work(self, operations: int) -> None:
        """Count work that goes beyond the usual for a point, and call `Limits.watch` now and then."""
        run = self
        while run._outer is not None:
            run = run._outer
        run._work += operations
        if run._work > _PATIENCE:
            run._work = 0
            self.limits.watch()


def size_of(value: Any, most: int) -> int:
    """
    Return about how many bytes a value takes as text.

    Raises:
        PipeScriptError: They are more than *most*, or it is nested too deeply.
    """
    kind = type(value)
    if kind is str:
        return _EACH + len(value)
    if kind is not dict and kind is not list:
        return _EACH
    size, depth = 0, 0
    level = [value]
    while level:
        depth += 1
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                size += sum(map(len, item))
                item = item.values()
            size += _EACH * (len(item) + 1)
            for part in item:
                if isinstance(part, str):
                    size += len(part)
                elif isinstance(part, (dict, list)):
                    below.append(part)
        if size + _EACH * len(below) > most:
            raise PipeScriptError(f"Reached maximum value size {most}.")
        if depth > MAX_DEPTH:
            raise PipeScriptError(f"Reached maximum nesting {MAX_DEPTH} of a value.")
        level = below
    return size


def bounded(value: Any, run: Run) -> Any:
    """
    Return a value that was put together, if it is not too large.

    Raises:
        PipeScriptError: It is too large, or nested too deeply.
    """
    run.work(size_of(value, run.limits.value_max) // _EACH)
    return value
