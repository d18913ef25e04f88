"""Queries over several streams: merging them. Datasets need transforms, which this server does not run yet."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any

from ...exceptions import LocalProtocolError
from ...protocol import json_text
from ...protocol.constants import MERGE_LIMIT
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ..storage import Reader, Series
from .data import PAGE, WentAway, refuse_transform
from .ranges import Range
from .request import NO_ACCESS, Pages, Refusal, Reply, Request, as_json, find

#: Points that a page of a merge has at most, and bytes of each stream that are held at once.
_POINTS = 2000
_HELD = PAGE // 4


def merge(reader: Reader, request: Request) -> Reply:
    """``POST query/merge``: the points of several streams as one array, in order of time."""
    body = request.json()
    if body is None:
        body = []
    if not isinstance(body, list):
        raise Refusal(400, "an array of stream queries was expected")
    queries = [_stream_query(query) for query in body]
    if len(queries) > MERGE_LIMIT:
        raise Refusal(403, f"Merging more than {MERGE_LIMIT} streams is disabled.")
    rest = _Merged([_cursor(reader, request, *query) for query in queries])
    text = rest.next(reader) or b""
    return Reply(text, rest=rest if rest.more else None)


def dataset(reader: Reader, request: Request) -> Reply:
    """``POST query/dataset``: refused."""
    raise Refusal(403, "datasets are not supported yet by this server")


def _stream_query(body: Any) -> tuple[str, str, Range]:
    """Return the path, the transform and the range of a stream query."""
    if not isinstance(body, dict):
        raise Refusal(400, "a stream query is an object with 'stream', and perhaps a range and a transform")
    keys = {str(key).lower(): value for key, value in body.items() if value is not None}
    texts = [_typed(keys, name, str, "") for name in ("stream", "transform")]
    i1, i2, limit = (_typed(keys, name, int, 0) for name in ("i1", "i2", "limit"))
    t1, t2 = (float(_typed(keys, name, (int, float), 0)) for name in ("t1", "t2"))
    by_time = bool(t1 or t2 or limit)
    if by_time and (i1 or i2):
        raise Refusal(403, "Only one query method (index or time) can be used at a time")
    return texts[0], texts[1], Range(not by_time, i1, i2, t1, t2, max(limit, 0))


def _typed(keys: Mapping[str, Any], name: str, kinds: type | tuple[type, ...], default: Any) -> Any:
    value = keys.get(name, default)
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise Refusal(400, f"the value of '{name}' in a stream query is of the wrong kind")
    return value


class _Cursor:
    """One stream of a merge: where it is, and the points that were taken out and not used yet."""

    def __init__(self, series: Series, first: int, last: int) -> None:
        self._series = series
        self._at = first
        self._last = last
        self._held: list[Datapoint] = []  # the next one last
        #: Bytes of text that were read so far.
        self.taken = 0

    def peek(self, reader: Reader) -> Datapoint | None:
        """Return the next point."""
        if not self._held and self._at < self._last:
            text, came_to = reader.text(self._series, self._at, self._last, _HELD)
            if came_to == self._at:
                raise WentAway
            self.taken += len(text)
            self._held = json_text.loads(b"[" + text + b"]")[::-1]
            self._at = came_to
        return self._held[-1] if self._held else None

    def take(self) -> Datapoint:
        """Take the point that `peek` returned, without its sender."""
        point = self._held.pop()
        point.pop("o", None)
        return point


def _cursor(reader: Reader, request: Request, stream: str, transform: str, wanted: Range) -> _Cursor:
    try:
        path = Path.parse(stream)
    except LocalProtocolError as error:
        fourth = stream.count("/") == 3 and not stream.endswith("/")
        raise Refusal(403, "Unrecognized substream type" if fourth else "The given path is invalid.") from error
    if path.depth != 3:
        raise Refusal(403, "The given path is invalid.")
    found = find(reader, path.names)
    assert found.user is not None and found.stream is not None
    access = request.permissions.access(request.caller, found.user, found.device).read
    if not (access.downlink if path.downlink else access.data):
        raise Refusal(403, NO_ACCESS)
    refuse_transform(transform)
    series = Series(found.stream.id, path.downlink)
    return _Cursor(series, *wanted.bounds(reader, series))


class _Merged(Pages):
    """The points of all cursors in order of time, as an array, page by page; of equal times the first stream's first."""

    def __init__(self, cursors: list[_Cursor]) -> None:
        self._cursors = cursors
        self._begun = False
        self.more = True

    def next(self, reader: Reader) -> bytes | None:
        """Return the next page."""
        if not self.more:
            return None
        # built anew for each page: a heap of at most ten
        heads = [(cursor.peek(reader), number) for number, cursor in enumerate(self._cursors)]
        heap = [(point["t"], number) for point, number in heads if point is not None]
        heapq.heapify(heap)
        points: list[Datapoint] = []
        # values may be large, and the page holds all of its own
        enough = sum(cursor.taken for cursor in self._cursors) + PAGE
        while heap and len(points) < _POINTS and sum(cursor.taken for cursor in self._cursors) < enough:
            _, number = heap[0]
            cursor = self._cursors[number]
            points.append(cursor.take())
            following = cursor.peek(reader)
            if following is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (following["t"], number))
        self.more = bool(heap)
        before = b"," if self._begun else b"["
        self._begun = True
        return before + as_json(points)[1:-1] + (b"" if self.more else b"]")
