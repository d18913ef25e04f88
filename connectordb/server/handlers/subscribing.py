"""What is looked up before points are told to a subscriber as they come."""

from __future__ import annotations

from dataclasses import dataclass

from ..storage import Reader, Series
from .data import readable
from .request import Request, find


@dataclass(frozen=True, slots=True)
class Start:
    """
    Where a subscription begins.

    Attributes:
        series: The points that are subscribed to.
        index: That of the first point that will be told.
        ephemeral: Whether points are told but not stored, as things are.
    """

    series: Series
    index: int
    ephemeral: bool


def start(reader: Reader, request: Request) -> Start:
    """Return where a subscription to the path begins, if the caller may have it."""
    series = readable(reader, request)
    stream = find(reader, request.names).stream
    assert stream is not None
    return Start(series, reader.length(series), stream.ephemeral)
