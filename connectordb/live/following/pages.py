"""How many points are read at once. Pure. Few at first, as nobody knows how large they are; then as many as fit into `BYTES`."""

from __future__ import annotations

#: The most points in one read, and in one batch.
PAGE = 20_000

#: Points in the first read.
FIRST = 20

#: Bytes of JSON that one read should have.
BYTES = 8 * 2**20

#: How many times larger the next read may be.
_GROWTH = 10


class Pages:
    """
    The pages of one stream.

    Args:
        most: The most points to be read at once.

    Attributes:
        size: How many points are to be read next.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = min(FIRST, most)

    def came(self, number: int, size: int) -> None:
        """Note that a read brought so many points, and how many bytes they were."""
        if not number:
            return
        fit = self._most if not size else BYTES * number // size
        # only a full page tells that a larger one is all right
        grown = _GROWTH * self.size if number >= self.size else self.size
        self.size = max(1, min(fit, grown, self._most))

    def failed(self) -> None:
        """Note that a page did not come in time."""
        self.size = max(1, self.size // _GROWTH)
