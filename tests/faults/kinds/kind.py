"""What all kinds of faults are."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, ClassVar

from ..stage import Stage
from ..station import COUNTED, TIMED, Station


class Kind:
    """
    A kind of fault. One object lives as long as a run of it.

    Attributes:
        name: What it is called on the command line.
        needs: What must be possible with the server, as `servers.Target` has it.
        timeout: Seconds that the Logger waits for an answer.
        layer: What lies under SQLite.
        announced: Whether the server's features may be passed on.
        fresh: After how many faults there is a new file with new streams.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    timeout: ClassVar[float] = 5.0
    layer: ClassVar[str] = ""
    announced: ClassVar[bool] = True
    fresh: ClassVar[int] = 25

    def __init__(self, stage: Stage, count: int, chance: random.Random) -> None:
        self.stage = stage
        self.count = count
        self.chance = chance
        self._steps: dict[tuple[str, bool, int], int] = {}

    def options(self, number: int) -> dict[str, Any]:
        """Return what the *number*-th Logger of a run is made with, as `Station` has it."""
        return {}

    def begin(self, station: Station) -> None:
        """Prepare a new Logger."""

    def fault(self, station: Station, number: int) -> None:
        """Make the fault of that *number* happen; what is left is settled and checked by the caller."""
        raise NotImplementedError

    def allowed(self, point: Any, reason: str) -> bool:
        """Tell whether a point may have been set aside for a reason."""
        return False

    def share(self, number: int, ways: int = 1) -> float:
        """Return how far in the run we are, from 0 to 1: faults with *ways* in turn go through all places in that order."""
        turns = max(1, self.count // ways)
        return min(1.0, (number // ways) / max(1, turns - 1))

    def steps_of(self, station: Station, what: str, count: Callable[[], int]) -> int:
        """
        Return how many steps something takes, with the features that the Logger is told of now, and its batches.

        Args:
            station: Whose steps are counted; it is settled after that.
            what: What it is called.
            count: Does it without a fault, and returns how many steps it took.
        """
        key = (what, self.stage.proxy.announces, station.batch)
        if key not in self._steps:
            self._steps[key] = count()
            station.settle(self.allowed)
        return self._steps[key]

    def some(self, station: Station) -> None:
        """Log some points, now and then a lone one, into one stream or both."""
        flavours = self.chance.choice(((COUNTED,), (TIMED,), (COUNTED, TIMED)))
        station.log(self.chance.choice((1, 1, 2, 3, 7)), flavours)
