"""Points that were lost and cannot be fetched: counting them, and telling the subscriber."""

from __future__ import annotations

from ...exceptions import PointsMissed
from ...protocol.paths import Path

#: How many more points have to be lost before the subscriber is told again.
QUEUE_LIMIT = 50_000


class Losses:
    """
    What one subscription has lost.

    Args:
        path: The stream.

    Attributes:
        number: How many points so far.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.number = 0

    def add(self, number: int, why: str) -> PointsMissed | None:
        """Count lost points, *why* being half a sentence; return what to tell, unless the same was told not many points ago."""
        before, self.number = self.number, self.number + number
        if before and self.number // QUEUE_LIMIT == before // QUEUE_LIMIT:
            return None
        return PointsMissed(f"{self.number} points of {str(self._path)!r} {why}; they cannot be fetched", self.number)

    def connection(self) -> PointsMissed:
        """Return what to tell when the connection was lost, and nothing can be fetched."""
        return PointsMissed(
            f"the connection was lost and is back; what was inserted at {str(self._path)!r} meanwhile cannot be fetched",
            None,
        )
