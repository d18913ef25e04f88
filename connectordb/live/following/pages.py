"""How many points are read at once: pure. Few at first, and as many as a page of bytes has had of late, as nobody knows how large they are."""

from __future__ import annotations

#: Points of one read, and of one batch, at the most.
PAGE = 20_000

#: Points of the first read.
FIRST = 20

#: Bytes of one read, as JSON, that are aimed at.
BYTES = 8 * 2**20

#: So many times as many are read next at the most.
_GROWTH = 10


class Pages:
    """
    The pages of one stream.

    Args:
        most: Points that are read at once at the most.

    Attributes:
        size: How many points are to be read next.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = min(FIRST, most)

    def came(self, number: int, size: int) -> None:
        """Take note that so many points came, and how many bytes they were."""
        if not number:
            return
        fit = self._most if not size else BYTES * number // size
        # what was no full page says nothing of a larger one
        grown = _GROWTH * self.size if number >= self.size else self.size
        self.size = max(1, min(fit, grown, self._most))

    def failed(self) -> None:
        """Take note that a page did not come in time."""
        self.size = max(1, self.size // _GROWTH)
