"""What a stream's points are: those that a Logger took, those of which that is unknown, and those of somebody else."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

#: A point, as it is told from all others: who logged it, and the how-manieth it is.
Point = tuple[str, int]


@dataclass
class Book:
    """
    A stream, as it should be.

    Attributes:
        accepted: Points that a Logger took, in the order of each who logged.
        doubtful: Points of which it is unknown, as the process was killed: each is there or is not.
        refused: Points that the Logger did not take; none of them may ever be anywhere.
        others: Points that somebody else stored.
        gone: Points that were stored when the stream was deleted, or its server set back.
        held: What the stream holds, as far as it was read; with its times.
        aside: What lay aside when that was looked at last.
    """

    name: str
    accepted: list[Point] = field(default_factory=list)
    doubtful: set[Point] = field(default_factory=set)
    refused: set[Point] = field(default_factory=set)
    others: list[Point] = field(default_factory=list)
    gone: set[Point] = field(default_factory=set)
    held: list[tuple[float, Hashable]] = field(default_factory=list)
    aside: list[Hashable] = field(default_factory=list)

    def known(self) -> set[Point]:
        """Return the points that the Logger has taken: those that it said so of, and the doubtful ones that turned up."""
        seen = {point for _, point in self.held} | set(self.aside) | self.gone
        return set(self.accepted) | {point for point in self.doubtful if point in seen}

    def resolve(self) -> None:
        """When nothing waits: a doubtful point that is nowhere was not accepted, and must not turn up later."""
        known = self.known()
        for point in sorted(self.doubtful):
            if point in known:
                self.accepted.append(point)
            else:
                self.refused.add(point)
        self.doubtful.clear()
