"""Queries over several streams: merging them, and lining them up as the columns of rows."""

from __future__ import annotations

from collections.abc import Iterator

from ...exceptions import PipeScriptError
from ...pipescript import Point
from ...pipescript import merge as merged
from ..storage import Reader, encode
from .data import PAGE
from .datasets import open_dataset
from .request import Fetch, Pages, Refusal, Reply, Request, for_browsers
from .stream_queries import Source, open_source, stream_queries

#: Bytes of text that all streams of a query together have in memory, as points a multiple of it; and the least of one.
_HELD = 512 * 1024
_LEAST_HELD = 4 * 1024

#: Points that a piece of an answer has at most, whatever their size.
_POINTS = 2000


def merge(reader: Reader, request: Request) -> Reply:
    """``POST query/merge``: the points of several streams as one array, in order of time."""
    body = request.json()
    queries = stream_queries([] if body is None else body, request.limits.merged_streams)
    sources = [open_source(reader, request, query) for query in queries]
    return _answer(merged(*sources), sources)


def dataset(reader: Reader, request: Request) -> Reply:
    """``POST query/dataset``: rows of several streams, at regular times or at the times of one of them."""
    rows, sources = open_dataset(reader, request)
    return _answer(rows, sources)


def _answer(points: Iterator[Point], sources: list[Source]) -> Reply:
    return Reply(b"", rest=_Array(points, sources), points=sum(source.length for source in sources))


class _Array(Pages):
    """Points, as the text of an array."""

    computed = True

    def __init__(self, points: Iterator[Point], sources: list[Source]) -> None:
        self._points = points
        self._sources = sources
        self._begun = False
        self._ended = False

    def next(self, fetch: Fetch) -> bytes | None:
        """Return the next piece; a failure before the first is a refusal."""
        if self._ended:
            return None
        held = max(_HELD // max(len(self._sources), 1), _LEAST_HELD)
        for source in self._sources:
            source.attach(fetch, held)
        try:
            return self._piece()
        except PipeScriptError as error:
            raise Refusal(500, str(error)) from error

    def _piece(self) -> bytes:
        texts: list[bytes] = []
        size = 0
        # one by one: how large a row is shows when it is written
        while len(texts) < _POINTS and size < PAGE:
            point = next(self._points, None)
            if point is None:
                self._ended = True
                break
            texts.append(_text(point))
            size += len(texts[-1])
        begin = b"[" if not self._begun else b"," if texts else b""
        self._begun = True
        return begin + for_browsers(b",".join(texts)) + (b"]" if self._ended else b"")


def _text(point: Point) -> bytes:
    time = float(point["t"]) or 0.0  # not -0.0
    text = encode([point], [time])
    # a row at time 0 has none on a 0.3 server
    return text if time else text.replace(b'"t":0,', b"", 1)
