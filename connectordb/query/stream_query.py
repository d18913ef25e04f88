"""One stream with a range and a transform, as both kinds of query have it."""

from __future__ import annotations

from typing import Any

from ..client import Device, Stream
from ..exceptions import LocalProtocolError
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
    path = Path.parse(stream if "/" in stream else f"{device.path}/{stream}")
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
        LocalProtocolError: *stream* is none.
    """
    fields = range_fields(now=SYSTEM.wall(), t1=t1, t2=t2, limit=limit, i1=i1, i2=i2)
    query = {"stream": str(path_of(device, stream)), **fields}
    return {**query, "transform": transform} if transform else query
