"""How long to wait after so many failures: a value with one pure method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """
    Exponential growth with full jitter: anything between 0 and the bound, so that a fleet does not come back all at once.

    Attributes:
        first: The bound after one failure, in seconds.
        longest: What the bound never exceeds.
    """

    first: float = 1.0
    longest: float = 60.0

    def bound(self, failures: int) -> float:
        """Return the longest wait after *failures* failures in a row."""
        return min(self.longest, self.first * 2.0 ** min(max(failures, 1) - 1, 60))

    def seconds(self, failures: int, random: Callable[[], float]) -> float:
        """Return the wait after *failures* failures in a row; *random* returns something in [0, 1)."""
        return self.bound(failures) * random()

    def pause(self, failures: int, random: Callable[[], float]) -> float:
        """Return a wait of at least half the bound: for endless attempts, which would spin if a wait were next to nothing."""
        return (self.bound(failures) + self.seconds(failures, random)) / 2
