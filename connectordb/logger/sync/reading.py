"""Reading a stream by index, to see what it holds: page by page, skipping what cannot be read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol, TypeVar

from ...exceptions import ResponseError
from ...protocol import refusals, rest
from ...protocol.constants import DATAPOINT_INSERT_LIMIT
from ...protocol.features import Features
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ..records import Held, Note

T = TypeVar("T")


class Server(Protocol):
    """A server, and a key for it."""

    @property
    def address(self) -> str:
        """Its URL."""

    @property
    def apikey(self) -> str:
        """The key."""

    @property
    def features(self) -> Features:
        """What its last answer said it can do beyond 0.3."""

    def time(self) -> float | None:
        """Return what its clock shows now, reckoned from its last answer; ``None`` if that did not say."""

    def call(self, request: rest.Request[T]) -> T:
        """Send a request, an insert once at most, and return what the answer says."""


def end_of(server: Server, path: Path) -> tuple[int, float | None]:
    """Return a stream's length and the time of its last point."""
    length = server.call(rest.length(path))
    if length == 0:
        return 0, None
    last = _read(server, path, length - 1, length)
    return (length, last[-1]["t"]) if last else (0, None)  # nothing: the stream was made anew in between


def point_at(server: Server, path: Path, index: int) -> Datapoint | None:
    """Return the point at *index*, if there is one."""
    points = _read(server, path, index, index + 1)
    return points[0] if points else None


def newest_time(server: Server, path: Path) -> float:
    """Return the time of a stream's last point; minus infinity if there is none."""
    last = server.call(rest.points(path, {"i1": "-1", "i2": "0"}))
    return float(last[-1]["t"]) if last else -math.inf


def is_ephemeral(server: Server, path: Path) -> bool:
    """Tell whether a stream keeps no points, so that nothing can be found in it."""
    return bool(server.call(rest.read(path)).get("ephemeral"))


class Reading:
    """
    What a stream holds from a noted length on, page by page; to be iterated once.

    If the point before that length is no longer the one that was noted, the stream was made anew, restored from a backup,
    or lost its end. Then it is read from where, by its times, the batch may be.

    Args:
        server: The server.
        path: The stream.
        note: Says where the batch should begin.
        earliest: The earliest time that any of its points was sent with.

    Attributes:
        anchored: Whether the point before the noted length is still there; known once the first page is.
    """

    def __init__(self, server: Server, path: Path, note: Note | Held, earliest: float) -> None:
        self._server, self._path, self._note, self._earliest = server, path, note, earliest
        self.anchored = not note.length

    def __iter__(self) -> Iterator[list[Datapoint]]:
        """Return the pages."""
        at, page = 0, DATAPOINT_INSERT_LIMIT
        length = self._note.length
        if length:
            points = self._points(length - 1, length + page)
            self.anchored = bool(points) and points[0]["t"] == self._note.before
            # in a stream that was made anew, another writer's point may stand here, behind the batch
            if self.anchored and points[0]["t"] < self._earliest:
                yield points
                if len(points) <= page:
                    return
                at = length + page
            else:
                at = self._first_index()
        while points := self._points(at, at + page):
            yield points
            if len(points) < page:
                return
            at += page

    def _points(self, first: int, end: int) -> list[Datapoint]:
        return _read(self._server, self._path, first, end)

    def _first_index(self) -> int:
        """Return an index before which every point is earlier than the batch: times never decrease along a stream."""
        low, high = 0, self._server.call(rest.length(self._path))
        while low < high:
            middle = (low + high) // 2
            points = self._points(middle, middle + 1)
            if points and points[0]["t"] < self._earliest:
                low = middle + 1
            else:  # also if that point cannot be read, or is gone by now
                high = middle
        return low


def _read(server: Server, path: Path, first: int, end: int) -> list[Datapoint]:
    """
    Return points by index.

    Of a point that the server cannot decode it refuses the whole range, so such a point is searched for by halving. It is not
    ours; in its place stands a point without a time.
    """
    try:
        return server.call(rest.points(path, {"i1": str(first), "i2": str(end)}))
    except ResponseError as error:
        if refusals.INVALID_RANGE in error.message:  # it begins beyond the end
            return []
        if "msgpack" not in error.message:
            raise
        if end - first == 1:
            return [{"t": math.nan, "d": None}]
    middle = (first + end) // 2
    return _read(server, path, first, middle) + _read(server, path, middle, end)
