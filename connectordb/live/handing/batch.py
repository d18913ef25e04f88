"""What a callback is called with: points, their index in the stream, and how they came."""

from __future__ import annotations

from collections.abc import Iterable

from ...datapoints import DatapointArray
from ...protocol.paths import Path
from ...protocol.points import Datapoint


class Batch(DatapointArray):
    """
    Points that follow each other in one stream.

    Attributes:
        first_index: The index of the first point in its stream; ``None`` if points have no index: in ephemeral streams, and if
            a transform made them at the server.
        caught_up: Whether they were fetched afterwards, rather than sent by the server when they were inserted.
    """

    def __init__(
        self,
        points: Iterable[Datapoint] = (),
        path: Path | None = None,
        first_index: int | None = None,
        caught_up: bool = False,
    ) -> None:
        super().__init__(points)
        self.first_index = first_index
        self.caught_up = caught_up
        self._path = path

    def sender(self, number: int) -> str:
        """Return the path of the device that wrote the point with that *number* in this batch: its ``o``, or the stream's own device."""
        own = "" if self._path is None else str(self._path.device)
        return str(self[number].get("o", own))
