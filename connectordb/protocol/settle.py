"""
Whether an insert was stored, found out by comparing what was sent with the end of the stream.

For inserts whose answer never came, or proved nothing. A sent point is found if the stream holds its value at a time that it
was sent with. Values are compared as a server stores them (`json_text.comparable`). Each stored point accounts for one sent
point only: of three equal points that were sent, two are found if two are stored.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from . import json_text
from .points import Datapoint


class Outcome(Enum):
    """What became of an insert: all its points were found, none, or some."""

    STORED = auto()
    NOT_STORED = auto()
    PARTLY = auto()
    UNKNOWN = auto()  # nothing was found, but part of the stream could not be read


@dataclass(frozen=True, slots=True)
class Sent:
    """A point as it was sent: its value, and each time that it was sent with, the latest last."""

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
    Settles an insert piece by piece, for a stream that is read in pages. `settle` does it at once.

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
        """Look for what was sent among more points that the stream holds."""
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
        """Whether all points were found, so that no more of the stream need be read."""
        return len(self._found) == self._number

    def result(self, all_read: bool = True) -> Settlement:
        """Return what became of the insert; *all_read*: whether all of the stream that matters could be read."""
        found = tuple(sorted(self._found))
        if len(found) == self._number:
            return Settlement(Outcome.STORED, found)
        if found:
            return Settlement(Outcome.PARTLY, found)
        return Settlement(Outcome.NOT_STORED if all_read else Outcome.UNKNOWN, found)


def settle(sent: Sequence[Sent], held: Iterable[Datapoint], all_read: bool = True) -> Settlement:
    """
    Return what became of an insert.

    Args:
        sent: What was sent.
        held: What the stream holds now behind its former end.
        all_read: Whether that is without gaps.
    """
    settling = Settling(sent)
    settling.look(held)
    return settling.result(all_read)
