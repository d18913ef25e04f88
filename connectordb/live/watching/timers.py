"""What is to be done after a while: pure, given the time; whoever shares it brings the lock."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

Action = Callable[[], None]


class Timers:
    """Actions, and when they are due."""

    def __init__(self) -> None:
        # a number tells those of equal times apart
        self._due: list[tuple[float, int, Action]] = []
        self._numbers = count()

    def put(self, at: float, action: Action) -> None:
        """Have *action* done at that time."""
        heapq.heappush(self._due, (at, next(self._numbers), action))

    def take(self, now: float) -> list[Action]:
        """Return what is due, in order."""
        actions = []
        while self._due and self._due[0][0] <= now:
            actions.append(heapq.heappop(self._due)[2])
        return actions

    def next(self) -> float | None:
        """Return when something is due; ``None`` if nothing is."""
        return self._due[0][0] if self._due else None
