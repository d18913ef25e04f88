"""Several streams as one series, in order of time."""

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
    Streams to be read as one series, ordered by time; of equal times, those of the stream added first come first.

    With a list of datapoints among them it runs here: what a server holds is fetched, with its ranges and transforms.

    Args:
        cdb: The connection, or any device: bare names are streams of its own. `None` where all points are at hand.
        tz: For what runs here: the name of the time zone of scripts that name none; by default this machine's.
    """

    def __init__(self, cdb: Device | None, *, tz: str = "") -> None:
        self.cdb = cdb
        self.tz = tz
        self._sources: list[Source] = []

    @property
    def query(self) -> list[dict[str, Any]]:
        """What is sent: an array of stream queries. Of points at hand, which are not, how many there are."""
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
        Add a stream; ten at most, if a server is to merge them.

        Args:
            stream: A `Stream`, ``"user/device/stream"`` (``/downlink`` may follow), a name of the device's own, a list of
                datapoints, or another `Merge`, whose streams are added as they are.
            t1: After this time, exclusive; seconds, a datetime, a timedelta ago, ISO text, or words as ``"yesterday"``.
            t2: Up to this time, inclusive.
            limit: So many points at most; with times only.
            i1: From this index on; negative ones count from the end.
            i2: Before this index.
            transform: PipeScript that runs over the range: text, what ``pipe`` made, or a ``Script``.

        Raises:
            InvalidRange: Times and indices are mixed.
            LocalProtocolError: It is no stream, or the eleventh.
            PipeScriptError: The transform of points at hand is no script.
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
            PipeScriptError: The transform of points at hand fails on one of them.

        Calls: ``POST query/merge``; with points at hand, one for each stream of the server's.
        """
        return DatapointArray(self._found(run, list))

    def _found(self, ask: Ask[T], own: Callable[[Iterable[Datapoint]], T]) -> T:
        if any(isinstance(each, AtHand) for each in self._sources):
            from ..pipescript import merge  # loads the language when something runs here

            return own(map(as_answered, merge(*(each.read() for each in self._sources))))
        check_zone(self.tz)
        device = self.cdb or next((each.device for each in self._sources if isinstance(each, Remote)), None)
        return own(()) if device is None else ask(device, "merge", self.query)


def merged(merge: Merge, own_range: dict[str, Any]) -> list[Source]:
    """
    Return the streams of a Merge.

    Raises:
        InvalidRange: It is given a range or transform.
    """
    given = [name for name, value in own_range.items() if value is not None]
    if given:
        raise InvalidRange(f"{', '.join(given)} beside a Merge has no effect: give it to the Merge's own streams")
    return list(merge._sources)
