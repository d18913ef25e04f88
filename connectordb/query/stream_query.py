"""What both kinds of query have: a stream with its range and transform, and how they are run."""

from __future__ import annotations

from typing import Any, Literal

from ..client import Device, Stream
from ..datapoints import DatapointArray
from ..exceptions import LocalProtocolError
from ..protocol import json_text, rest
from ..protocol.paths import Path
from ..protocol.ranges import range_fields
from ..protocol.times import Time
from ..runtime.clock import SYSTEM


def path_of(device: Device, stream: Stream | str) -> Path:
    """
    Return the full path of a stream: of a `Stream`, of a path as text, or of a bare name of *device*'s own.

    Raises:
        LocalProtocolError: It is none of these.
    """
    if isinstance(stream, Stream):
        return Path.parse(stream.path)
    if not isinstance(stream, str):
        raise LocalProtocolError(f"{stream!r} is no stream: expected a Stream, 'user/device/stream', or a name")
    path = Path.parse(stream if "/" in stream else device[stream].path)
    if path.depth != 3:
        raise LocalProtocolError(f"{stream!r} is a {path.kind}: expected a stream, 'user/device/stream'")
    return path


def stream_query(
    device: Device,
    stream: Stream | str,
    *,
    t1: Time | None,
    t2: Time | None,
    limit: int | None,
    i1: int | None,
    i2: int | None,
    transform: str | None,
) -> dict[str, Any]:
    """
    Return the wire's form of a stream with its range and transform.

    Raises:
        InvalidRange: Kinds of range are mixed.
        LocalProtocolError: *stream* is none, or *transform* no text.
    """
    check_script("transform", transform)
    fields = range_fields(now=SYSTEM.wall(), t1=t1, t2=t2, limit=limit, i1=i1, i2=i2)
    query = {"stream": str(path_of(device, stream)), **fields}
    return {**query, "transform": transform} if transform else query


def check_script(name: str, script: object) -> None:
    """
    Accept text, or nothing.

    Raises:
        LocalProtocolError: *script* is something else.
    """
    if script is not None and not isinstance(script, str):
        raise LocalProtocolError(f"{name}={script!r} is no PipeScript: expected text")


def run(device: Device, kind: Literal["merge", "dataset"], query: Any) -> DatapointArray:
    """
    Return what the server of *device* answers to a query; a null that the wire leaves out is there.

    Raises:
        ResponseError: The server refused a part of it, or its answer is none.

    Calls: ``POST query/<kind>``.
    """
    json_text.check_value(query)
    points = device._session.call(rest.query_points(kind, query))
    return DatapointArray(points)
