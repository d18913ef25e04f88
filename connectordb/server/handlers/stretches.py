"""Reading points that are too many to be read in one go."""

from __future__ import annotations

from ...exceptions import ConnectorDBError
from ..storage import Reader, Series
from .request import Fetch

#: Bytes of points that are read from the storage in one go. After each, other requests have their turn.
PAGE = 256 * 1024


class WentAway(ConnectorDBError):
    """The points of a long answer were deleted before all of them were sent."""

    def __init__(self) -> None:
        super().__init__("the points went away while they were read")


class Stretch:
    """
    The points of a series in a range of indices, taken piece by piece.

    Attributes:
        at: The index of the next point.
    """

    def __init__(self, series: Series, first: int, last: int) -> None:
        self.at = first
        self._series = series
        self._last = last

    @property
    def more(self) -> bool:
        """Whether there are points that have not been taken."""
        return self.at < self._last

    def take(self, fetch: Fetch, size: int) -> bytes:
        """
        Return the text of the next points, separated by commas: about *size* bytes.

        Raises:
            WentAway: They were deleted meanwhile. That must not look like the end of the range.
        """

        def read(reader: Reader) -> tuple[bytes, int]:
            return reader.text(self._series, self.at, self._last, size)

        text, came_to = fetch(read)
        if came_to == self.at < self._last:
            raise WentAway
        self.at = came_to
        return text
