"""Several streams as one series, in order of time."""

from __future__ import annotations

from typing import Any

from ..client import Device, Stream
from ..datapoints import DatapointArray
from ..exceptions import LocalProtocolError
from ..protocol.constants import MERGE_LIMIT
from ..protocol.times import Time
from .stream_query import run, stream_query


class Merge:
    """
    Streams to be read as one series, ordered by time; of equal times, those of the stream added first come first.

    Args:
        cdb: The connection, or any device: bare names are streams of its own.
    """

    def __init__(self, cdb: Device) -> None:
        self.cdb = cdb
        #: What is sent: an array of stream queries.
        self.query: list[dict[str, Any]] = []

    def addStream(
        self,
        stream: Stream | str,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        transform: str | None = None,
    ) -> None:
        """
        Add a stream, ten at most.

        Args:
            stream: A `Stream`, ``"user/device/stream"`` (``/downlink`` may follow), or a name of the device's own.
            t1: After this time, exclusive; seconds, a datetime, a timedelta ago, or ISO text.
            t2: Up to this time, inclusive.
            limit: So many points at most; with times only.
            i1: From this index on; negative ones count from the end.
            i2: Before this index.
            transform: PipeScript that runs over the range.

        Raises:
            InvalidRange: Times and indices are mixed.
            LocalProtocolError: It is no stream, or the eleventh.
        """
        if len(self.query) == MERGE_LIMIT:
            raise LocalProtocolError(
                f"{stream!r} would be one more than the {MERGE_LIMIT} streams that a server merges"
            )
        self.query.append(stream_query(self.cdb, stream, t1=t1, t2=t2, limit=limit, i1=i1, i2=i2, transform=transform))

    def run(self) -> DatapointArray:
        """
        Return the merged points.

        Raises:
            ResponseError: The server refused a part of it.

        Calls: ``POST query/merge``.
        """
        return run(self.cdb, "merge", self.query)
