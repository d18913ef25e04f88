"""Inserting points, reading them, and asking for their number, or for the index at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from reprlib import Repr
from typing import Any

from ...exceptions import LocalProtocolError
from ...protocol import json_text
from ...protocol.constants import DOWNLINK
from ...protocol.number_points import read_numbers
from ...protocol.points import Batch, Datapoint, times_of
from ...runtime.clock import Deadline
from ..rights.permissions import Level
from ..storage import Device, Inserted, Older, Reader, Remembered, Series, Stream, User, Writer
from .columns import as_columns
from .fields import stored_schema
from .limits import check_size
from .ranges import decimal, read_range
from .repeats import digest, insert_key, recalled
from .request import (
    NO_ACCESS,
    Fetch,
    Kind,
    Landed,
    Pages,
    Published,
    Refusal,
    Reply,
    Request,
    at_once,
    find,
    for_browsers,
)
from .scripts import Scripts
from .sources import Array
from .stretches import PAGE, Stretch

#: Shows a value in a message without going through all of it: it may have megabytes, or be nested too deeply for Python.
_SHORT = Repr()
_SHORT.maxlevel = 2

_OLDER = "Greater timestamp already exists for the stream. Insert Failed."


def _stream(reader: Reader, request: Request, status: int = 403) -> tuple[User, Device, Stream, Level]:
    """Return the user, device and stream that the path names, and what the caller may do with them."""
    found = find(reader, request.names, status)
    assert found.user is not None and found.device is not None and found.stream is not None
    access = request.permissions.access(request.caller, found.user, found.device)
    return found.user, found.device, found.stream, access


def readable(reader: Reader, request: Request, status: int = 403) -> Series:
    """Return the series that the path names; refuse a caller who may not read it."""
    _, _, stream, access = _stream(reader, request, status)
    if not (access.read.downlink if request.downlink else access.read.data):
        raise Refusal(status, NO_ACCESS)
    return Series(stream.id, request.downlink)


# --- reading ----------------------------------------------------------------------------------------------------------


def is_readable(reader: Reader, request: Request) -> bool:
    """Tell whether the stream, or its downlink, exists, and the caller may read its points."""
    try:
        readable(reader, request)
    except Refusal:
        return False
    return True


def read(reader: Reader, request: Request) -> Reply:
    """``GET crud/<path>/data``: points; or with ``q`` their number, or the index at a time."""
    if "length" in request.q:
        return Reply.text(str(reader.length(readable(reader, request))))
    if "time2index" in request.q:
        return _time_to_index(reader, request)
    wanted = read_range(request.query)
    series = readable(reader, request)
    scripts = Scripts(request.queries)
    transform = scripts.add(request.query.get("transform", ""))
    if transform is not None:
        source = wanted.source(reader, series, transform)
        return Reply(b"", rest=Array(source, [source], scripts), points=source.length)
    first, last = wanted.bounds(reader, series)
    columns = as_columns(reader, series, first, last) if request.columns else None
    if columns is not None:
        return Reply(columns, Kind.COLUMNS, points=last - first)
    rest = _Points(series, first, last)
    body = rest.next(at_once(reader)) or b""
    return Reply(body, rest=rest if rest.more else None, points=last - first)


class _Points(Pages):
    """The points of a series from an index to another, as an array, page by page."""

    def __init__(self, series: Series, first: int, last: int) -> None:
        self._stretch = Stretch(series, first, last)
        self._before = b"["
        #: Whether there is another page.
        self.more = True

    def next(self, fetch: Fetch) -> bytes | None:
        """Return the next page."""
        if not self.more:
            return None
        text = self._stretch.take(fetch, PAGE)
        self.more = self._stretch.more
        before, self._before = self._before, b","
        return before + for_browsers(text) + (b"" if self.more else b"]")


def _time_to_index(reader: Reader, request: Request) -> Reply:
    t = decimal(request.query.get("t", ""))
    if t is None:
        raise Refusal(403, 'time2index requires an argument of "t" which is a decimal timestamp')
    series = readable(reader, request, 404)
    index = reader.index_after(series, t)
    # 0 also means that there is no later point, which clients know
    return Reply(str(0 if index == reader.length(series) else index).encode())


# --- inserting --------------------------------------------------------------------------------------------------------


def insert(writer: Writer, request: Request) -> Reply:
    """``POST`` and ``PUT crud/<path>/data``: append points, all or none. The wire prescribes the order of the checks."""
    points = read_numbers(request.body)
    return insert_points(writer, request, read_points(request.json()) if points is None else points)


def read_points(body: Any) -> Sequence[Datapoint]:
    """
    Return the points in a body. Each has ``t``, 0 if it was left out; ``d``, unless it is null; and nothing else.

    Raises:
        Refusal: The body is no array of points.
    """
    if body is None:
        return []
    if not isinstance(body, list):
        raise Refusal(400, "an array of datapoints was expected")
    return Batch.of(body) or [_point(item) for item in body]


def _point(item: Any) -> Datapoint:
    if type(item) is not dict:
        raise Refusal(400, f"a datapoint is an object with 't' and 'd', not {_shown(item)}")
    t, d = item.get("t"), item.get("d")
    if t is None or d is None:
        # rare enough to search here for "T" and "D", which a 0.3 server also takes
        for key, value in item.items():
            t = value if key == "T" and t is None else t
            d = value if key == "D" and d is None else d
    if t is None:
        t = 0
    elif type(t) is not float and type(t) is not int:
        raise Refusal(400, f"the time of a datapoint is a number of seconds, not {_shown(t)}")
    if d is None:
        return {"t": t}
    if type(d) in (dict, list):
        try:
            json_text.checked(d)
        except LocalProtocolError as error:
            raise Refusal(400, str(error)) from error
    return {"t": t, "d": d}


def _shown(value: Any) -> str:
    return _SHORT.repr(value)


@dataclass(frozen=True, slots=True)
class _Goal:
    """Where points go, and whom they are said to come from: nobody, if it is the stream's own device."""

    downlink: bool
    sender: str | None


def _goal(request: Request, device: Device, stream: Stream, access: Level) -> _Goal:
    """Return where an insert goes: what anybody but the stream's own device writes into a downlink stream goes to its downlink."""
    owner = request.caller.device is not None and request.caller.device.id == device.id
    downlink = request.downlink or (stream.downlink and not owner)
    if not (access.write.downlink if downlink else access.write.data):
        raise Refusal(403, f"Write access to stream {DOWNLINK if downlink else 'data'} denied.")
    return _Goal(downlink, None if owner else request.caller.path)


def insert_points(writer: Writer, request: Request, points: Sequence[Datapoint]) -> Reply:
    """Append points made by `read_points`, unless they were inserted before under the same key."""
    user, device, stream, access = _stream(writer, request)
    name = insert_key(request, stream.id)
    body = digest(points) if name else b""
    if name is not None:
        known = recalled(writer, request, name, body)
        if known is not None:
            return Reply(b"ok", Kind.TEXT, landed=_landed(request, known.downlink, known.first))
    goal = _goal(request, device, stream, access)
    times = times_of(points)
    if goal.sender is not None or not all(times):
        points = list(points)
        for point in points:
            point["t"] = point["t"] or request.now
            if goal.sender is not None:
                point["o"] = goal.sender
        times = times_of(points)
    _check_values(points, stream.schema, request.limits.check_seconds)
    if sorted(times) != times:  # sorting what is sorted takes no time
        raise Refusal(403, "Timestamps are not ordered!")
    stored: Inserted | None = None
    if points and not stream.ephemeral:
        series = Series(stream.id, goal.downlink)
        try:
            stored = writer.insert(series, points, request.restamp)
        except Older as older:
            raise Refusal(403, _OLDER) from older
        check_size(writer, request.permissions, user, device.id, series)
    landed = _landed(request, goal.downlink, stored.first if stored else None)
    if name is not None:
        writer.remember_insert(name, Remembered(body, goal.downlink, landed.first))
    # nobody is told of an empty insert; the original server would publish a null
    published = (
        (Published(landed.path, points if isinstance(points, Batch) else tuple(points), stored),) if points else ()
    )
    return Reply(b"ok", Kind.TEXT, published=published, landed=landed, points=len(points))


def _landed(request: Request, downlink: bool, first: int | None) -> Landed:
    return Landed(f"{request.path}/{DOWNLINK}" if downlink else request.path, first)


def _check_values(points: Sequence[Datapoint], schema_text: str, seconds: float) -> None:
    if schema_text == "{}":
        return
    schema = stored_schema(schema_text)
    if isinstance(points, Batch):
        values, kinds = points.values, points.kinds
    else:
        values = [point.get("d") for point in points]
        kinds = frozenset(map(type, values))
    if schema.allows_kinds(kinds):
        return
    deadline = Deadline(seconds)
    for value in values:
        allowed = schema.allows(value, deadline.passed)
        if deadline.passed():
            raise Refusal(
                403,
                f"Checking the datapoints against the stream's schema takes more than {seconds:g} s; insert fewer at once",
            )
        if not allowed:
            raise Refusal(403, "At least one datapoint did not conform to the stream's schema")
