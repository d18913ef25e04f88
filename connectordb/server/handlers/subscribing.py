"""What is looked up when a subscription begins."""

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
        series: The series that is subscribed to.
        index: The index of the first point that will be told.
        ephemeral: Whether points of the stream are, at present, told but not stored.
    """

    series: Series
    index: int
    ephemeral: bool


def start(reader: Reader, request: Request) -> Start:
    """Return where a subscription to the request's path begins; refuse a caller who may not read it."""
    series = readable(reader, request)
    stream = find(reader, request.names).stream
    assert stream is not None
    return Start(series, reader.length(series), stream.ephemeral)
