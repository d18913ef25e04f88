"""How large a script may be, and what a run of it may hold: nothing that a stranger writes takes more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import compress, count
from operator import length_hint
from typing import Any

from ..exceptions import PipeScriptError

#: How deep lists and objects may be nested; what writes JSON does not go much further.
MAX_DEPTH = 250

#: What a value in a list or an object counts, beside the characters of its text.
_EACH = 8

#: What is held beside the characters of a text that is kept.
KEPT = 100

#: Work between two calls of `Limits.watch`, in operations.
_PATIENCE = 100_000


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What a script may take.

    Attributes:
        length: Characters of a script.
        nesting: How deep scripts, operands and stages that wait for others may be nested.
        split_max: Keys of a map, and values that ``new`` remembers.
        string_max: Bytes of a text that is put together.
        peek_max: Points that ``next`` looks ahead.
        value_max: Bytes of a value that is put together, about.
        held_max: Bytes that a run may hold, about: keys, what is remembered, texts put together.
        watch: Called now and then during work that may be long for one point; what it raises ends the run.
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
    One run of a script, with what it may still take.

    Attributes:
        limits: What it may take.
        again: Whether a run came to its end before, which one transform remembers.
        held: Bytes that it holds.
        points: What comes from outside.
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
        """Yield the points that come from outside, so that their numbers are known."""
        if isinstance(points, (list, tuple)):
            self._size = len(points)
            self.points = iter(points)  # it tells how many are left
        else:
            self.points = compress(points, self._ticks)
        return self.points

    def index(self) -> int:
        """Return the number of the point that was yielded last, from 0; asked for once."""
        return next(self._ticks) - 2 if self._size is None else self._size - 1 - length_hint(self.points)

    def inner(self, again: bool) -> Run:
        """Return a run within this one, whose memory can be given back before this one ends."""
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
        """Give back what an inner run holds."""
        if self._outer is not None:
            self._outer.hold(-self.held)
        self.held = 0

    def work(self, operations: int) -> None:
        """Count work that is more than a point's share, and have somebody watch over it."""
        run = self
        while run._outer is not None:
            run = run._outer
        run._work += operations
        if run._work > _PATIENCE:
            run._work = 0
            self.limits.watch()


def size_of(value: Any, most: int) -> int:
    """
    Return about how many bytes a value takes, written.

    Raises:
        PipeScriptError: They are more than *most*, or it is nested too deep.
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
    Return a value that was put together.

    Raises:
        PipeScriptError: It is too large, or nested too deep.
    """
    run.work(size_of(value, run.limits.value_max) // _EACH)
    return value
