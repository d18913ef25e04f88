"""`Merge`: several streams as one series, in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ..client import Device
from ..datapoints import DatapointArray
from ..exceptions import InvalidRange, LocalProtocolError
from ..protocol.constants import MERGE_LIMIT
from ..protocol.points import Datapoint, as_answered
from ..protocol.scripts import ScriptLike
from ..protocol.times import Time
from .at_hand import AtHand
from .stream_query import Ask, Query, Remote, Source, Streamlike, check_zone, run, source

T = TypeVar("T")


class Merge(Query):
    """
    Several streams as one series in order of time; of points at the same time, those of the stream that was added first come first.

    Usually a server merges them. If a list of datapoints is among them, this is done here: the points that a server holds are
    fetched first, with their ranges and transforms.

    Args:
        cdb: The connection, or any device, to which bare names of streams refer; `None` if all points are lists.
        tz: If it runs here, the name of the time zone for scripts that name none; by default this machine's.
    """

    def __init__(self, cdb: Device | None, *, tz: str = "") -> None:
        self.cdb = cdb
        self.tz = tz
        self._sources: list[Source] = []

    @property
    def query(self) -> list[dict[str, Any]]:
        """The query as it is sent, a list with an entry for each stream. For lists of points, which are not sent, it has their length."""
        return [each.shown for each in self._sources]

    def addStream(
        self,
        stream: Streamlike | Merge,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        transform: ScriptLike | None = None,
    ) -> None:
        """
        Add a stream. A server merges ten at most.

        Args:
            stream: A `Stream`, a path (``"user/device/stream"``, also with ``/downlink``), a name of the device's own, a list of
                datapoints, or another `Merge`, whose streams are added as they are.
            t1: Only points after this time (exclusive): seconds, a datetime, a timedelta ago, ISO text, or words such as
                ``"yesterday"``.
            t2: Only points up to this time (inclusive).
            limit: At most this many points; only with times.
            i1: From this index on; negative ones count from the end.
            i2: Before this index.
            transform: PipeScript that runs over the range: text, the result of ``pipe``, or a ``Script``.

        Raises:
            InvalidRange: Times and indices are mixed.
            LocalProtocolError: *stream* is no stream, or is the eleventh.
            PipeScriptError: The transform of a list is not a valid script.
        """
        own_range = {"t1": t1, "t2": t2, "limit": limit, "i1": i1, "i2": i2, "transform": transform}
        if stream is self:
            raise LocalProtocolError("a Merge cannot be added to itself")
        if isinstance(stream, Merge):
            added = merged(stream, own_range)
        else:
            added = [source(self.cdb, stream, t1=t1, t2=t2, limit=limit, i1=i1, i2=i2, transform=transform, tz=self.tz)]
        sources = [*self._sources, *added]
        if len(sources) > MERGE_LIMIT and not any(isinstance(each, AtHand) for each in sources):
            raise LocalProtocolError(
                f"{stream!r} would be one more than the {MERGE_LIMIT} streams that a server merges"
            )
        self._sources = sources

    def run(self) -> DatapointArray:
        """
        Return the merged points.

        Raises:
            ResponseError: The server refused a part of it.
            PipeScriptError: The transform of a list fails on one of its points.

        Calls: ``POST query/merge``; with lists of points, one for each stream on a server.
        """
        return DatapointArray(self._found(run, list))

    def _found(self, ask: Ask[T], own: Callable[[Iterable[Datapoint]], T]) -> T:
        if any(isinstance(each, AtHand) for each in self._sources):
            from ..pipescript import merge  # few programs need the language

            return own(map(as_answered, merge(*(each.read() for each in self._sources))))
        check_zone(self.tz)
        device = self.cdb or next((each.device for each in self._sources if isinstance(each, Remote)), None)
        return own(()) if device is None else ask(device, "merge", self.query)


def merged(merge: Merge, own_range: dict[str, Any]) -> list[Source]:
    """
    Return the streams of a Merge that is part of another query.

    Raises:
        InvalidRange: A range or transform was passed with it, which has no effect on a Merge.
    """
    given = [name for name, value in own_range.items() if value is not None]
    if given:
        raise InvalidRange(f"{', '.join(given)} beside a Merge has no effect: give it to the Merge's own streams")
    return list(merge._sources)
