"""Points that cannot be had, as they are told to who missed them."""

from __future__ import annotations

from ...exceptions import PointsMissed
from ...protocol.paths import Path

#: So many more are lost before it is told again.
QUEUE_LIMIT = 50_000


class Losses:
    """
    What one subscription has lost.

    Args:
        path: The stream.

    Attributes:
        number: Points so far.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.number = 0

    def add(self, number: int, why: str) -> PointsMissed | None:
        """Count points that *why* says of; return what is to be told, unless that was told a while ago."""
        before, self.number = self.number, self.number + number
        if before and self.number // QUEUE_LIMIT == before // QUEUE_LIMIT:
            return None
        return PointsMissed(f"{self.number} points of {str(self._path)!r} {why}; they cannot be fetched", self.number)

    def connection(self) -> PointsMissed:
        """Return what is to be told of a connection that was lost where nothing can be fetched."""
        return PointsMissed(
            f"the connection was lost and is back; what was inserted at {str(self._path)!r} meanwhile cannot be fetched",
            None,
        )
