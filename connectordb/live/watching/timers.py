"""What is to be done after a while. Pure: the time is given. There is no lock here: whoever shares this has to lock."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

Action = Callable[[], None]


class Timers:
    """Actions, and when they are due."""

    def __init__(self) -> None:
        # the number orders actions that are due at the same time, which could not be compared
        self._due: list[tuple[float, int, Action]] = []
        self._numbers = count()

    def put(self, at: float, action: Action) -> None:
        """Add an *action* that is due at the time *at*."""
        heapq.heappush(self._due, (at, next(self._numbers), action))

    def take(self, now: float) -> list[Action]:
        """Remove and return the actions that are due, in order."""
        actions = []
        while self._due and self._due[0][0] <= now:
            actions.append(heapq.heappop(self._due)[2])
        return actions

    def next(self) -> float | None:
        """Return when the next action is due; ``None`` if there is none."""
        return self._due[0][0] if self._due else None
