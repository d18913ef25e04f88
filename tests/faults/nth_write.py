"""A disk that is full from the n-th write on."""

from __future__ import annotations

from ..support.disks import Space


class NthWrite(Space):
    """
    Space for so many writes, of whatever size.

    Attributes:
        writes: How many there were since it was said how many there is space for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._after: int | None = None
        self._partly = False
        self.writes = 0

    def fill(self, after: int, partly: bool) -> None:
        """Have space for *after* writes; of the next one *partly* gets on the disk."""
        self._after, self._partly, self.writes = after, partly, 0

    def empty(self) -> None:
        """Have space for everything."""
        self._after = None

    def take(self, wanted: int, growth: int) -> int:
        """Return how many bytes are written."""
        self.writes += 1
        if self._after is None or self.writes <= self._after:
            return wanted
        return wanted // 2 if self._partly and self.writes == self._after + 1 else 0
