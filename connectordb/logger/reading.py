"""Reading a stream by index, to see what it holds: page by page, past what cannot be read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol, TypeVar

from ..exceptions import ResponseError
from ..protocol import rest
from ..protocol.constants import DATAPOINT_INSERT_LIMIT
from ..protocol.paths import Path
from ..protocol.points import Datapoint
from .records import Note

T = TypeVar("T")


class Server(Protocol):
    """A server, and a key for it."""

    @property
    def address(self) -> str:
        """Its URL."""

    @property
    def apikey(self) -> str:
        """The key."""

    def call(self, request: rest.Request[T]) -> T:
        """Send a request, an insert once at most, and return what the answer says."""


def end_of(server: Server, path: Path) -> tuple[int, float | None]:
    """Return a stream's length and the time of its last point."""
    length = server.call(rest.length(path))
    if length == 0:
        return 0, None
    last = _read(server, path, length - 1, length)
    return (length, last[-1]["t"]) if last else (0, None)  # made anew in between


def newest_time(server: Server, path: Path) -> float:
    """Return the time of a stream's last point; minus infinity if there is none."""
    last = server.call(rest.points(path, {"i1": "-1", "i2": "0"}))
    return float(last[-1]["t"]) if last else -math.inf


def read_from(server: Server, path: Path, note: Note) -> Iterator[list[Datapoint]]:
    """
    Return what the stream holds from the noted length on, page by page.

    From its start, if the point before that length is no longer the one that was noted: the stream was made anew, or
    restored from a backup.
    """
    at, page = 0, DATAPOINT_INSERT_LIMIT
    if note.length:
        points = _read(server, path, note.length - 1, note.length + page)
        if points and points[0]["t"] == note.before:
            yield points[:1]
            yield points[1:]
            if len(points) <= page:
                return
            at = note.length + page
    while points := _read(server, path, at, at + page):
        yield points
        if len(points) < page:
            return
        at += page


def _read(server: Server, path: Path, first: int, end: int) -> list[Datapoint]:
    """Return points by index; what cannot be decoded is somebody else's, and left out."""
    try:
        return server.call(rest.points(path, {"i1": str(first), "i2": str(end)}))
    except ResponseError as error:
        if rest.INVALID_RANGE in error.message:  # it begins beyond the end
            return []
        if "msgpack" not in error.message:
            raise
        if end - first == 1:
            return [{"t": math.nan, "d": None}]
    middle = (first + end) // 2
    return _read(server, path, first, middle) + _read(server, path, middle, end)
