"""What all kinds of faults are."""

from __future__ import annotations

import random
from typing import ClassVar

from ..stage import Stage
from ..station import Station


class Kind:
    """
    A kind of fault. One object lives as long as a run of it.

    Attributes:
        name: What it is called on the command line.
        needs: What must be possible with the server, as `fault_servers.Target` has it.
        undisturbed: Whether no connection is lost, so that an ephemeral stream's points are all told, or counted as missed.
        fresh: After how many faults there is a new client with new streams.
        is_owner: Whether the client is the streams' own device, and not another one that reads.
        seen: Times of this run, in seconds, printed with it.
        counted: Numbers of this run, likewise.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    undisturbed: ClassVar[bool] = False
    fresh: ClassVar[int] = 25
    is_owner: ClassVar[bool] = False

    def __init__(self, stage: Stage, count: int, chance: random.Random) -> None:
        self.stage = stage
        self.count = count
        self.chance = chance
        self.seen: dict[str, float] = {}
        self.counted: dict[str, int] = {}

    def begin(self, station: Station) -> None:
        """Prepare new subscriptions."""

    def fault(self, station: Station, number: int) -> None:
        """Make the fault of that *number* happen; what is left is settled and checked by the caller."""
        raise NotImplementedError

    def check(self, station: Station) -> None:
        """
        Check what this kind of faults has besides, when all subscriptions were found right.

        Raises:
            Wrong: Something is not as it should be.
        """

    def share(self, number: int, ways: int = 1) -> float:
        """Return how far in the run we are, from 0 to 1: faults with *ways* in turn go through all places in that order."""
        turns = max(1, self.count // ways)
        return min(1.0, (number // ways) / max(1, turns - 1))

    def longest(self, what: str, value: float) -> None:
        """Keep the largest of such values."""
        self.seen[what] = max(self.seen.get(what, 0.0), value)

    def count_seen(self, what: str, number: int) -> None:
        """Count such things."""
        self.counted[what] = self.counted.get(what, 0) + number
