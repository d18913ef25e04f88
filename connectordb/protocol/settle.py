"""
What was sent, and what the end of the stream holds: was it stored?

For an insert whose answer never came, or proved nothing. A sent point is found where the stream holds its value at its
time, or at another time that it was sent with; what it is compared with is what a server makes of a value
(`json_text.comparable`). Equal points are found as often as they occur, no more.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from . import json_text
from .points import Datapoint


class Outcome(Enum):
    """What became of an insert."""

    STORED = auto()
    NOT_STORED = auto()
    PARTLY = auto()
    UNKNOWN = auto()  # nothing was found, but part of the stream could not be read


@dataclass(frozen=True, slots=True)
class Sent:
    """A point as it was sent: its value, and every time it was sent with, the latest last."""

    times: tuple[float, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class Settlement:
    """
    Which of the sent points are there.

    Attributes:
        outcome: All, none or some of them.
        found: The positions, in what was sent, of those that are there.
    """

    outcome: Outcome
    found: tuple[int, ...]


class Settling:
    """
    The same, piece by piece: for a stream that is read in pages.

    Args:
        sent: What was sent.
    """

    def __init__(self, sent: Sequence[Sent]) -> None:
        self._number = len(sent)
        self._missing: dict[tuple[float, Hashable], list[int]] = {}
        for position, point in enumerate(sent):
            value = json_text.comparable(point.value)
            for t in point.times:
                self._missing.setdefault((t, value), []).append(position)
        self._found: set[int] = set()

    def look(self, held: Iterable[Datapoint]) -> None:
        """Take in points that the stream holds."""
        missing = self._missing
        for point in held:
            t = point.get("t", 0)
            candidates = missing.get((t, json_text.comparable(point.get("d"))))
            if candidates:
                position = next((position for position in candidates if position not in self._found), None)
                if position is not None:
                    self._found.add(position)

    @property
    def complete(self) -> bool:
        """Whether all were found, so that nothing more need be read."""
        return len(self._found) == self._number

    def result(self, all_read: bool = True) -> Settlement:
        """Return what became of the insert; *all_read*: whether everything could be read."""
        found = tuple(sorted(self._found))
        if len(found) == self._number:
            return Settlement(Outcome.STORED, found)
        if found:
            return Settlement(Outcome.PARTLY, found)
        return Settlement(Outcome.NOT_STORED if all_read else Outcome.UNKNOWN, found)


def settle(sent: Sequence[Sent], held: Iterable[Datapoint], all_read: bool = True) -> Settlement:
    """Return what became of *sent*, given what the stream *held* from where it ended before; *all_read*: no gaps in that."""
    settling = Settling(sent)
    settling.look(held)
    return settling.result(all_read)
