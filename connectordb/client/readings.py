"""`Readings`: the points of several streams that were read together; and the choice of these streams."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..datapoints import DatapointArray
from ..exceptions import ConnectorDBError, LocalProtocolError
from ..protocol.paths import Path
from ..runtime.clock import Deadline
from .shown import Shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ..display import Sheet
    from .device import Device
    from .stream import Stream

log = logging.getLogger(__name__)

#: Seconds that a picture of points already read waits for the streams' units.
_PATIENCE = 2.0


class Readings(dict[str, DatapointArray], Shown):
    """
    The points of several streams: a dict with the points of each, under the name by which it was asked for.

    Args:
        points: Name → points.
        streams: Name → stream, for those whose points are as stored, so that their schemas tell the units.
    """

    def __init__(
        self, points: Mapping[str, DatapointArray] | None = None, streams: Mapping[str, Stream] | None = None
    ) -> None:
        super().__init__(points or {})
        self._streams = streams or {}

    def to_df(self) -> pd.DataFrame:
        """
        Return one pandas frame: a column for each stream, and a row for each time (UTC) at which one of the streams has a point.

        A stream whose values are all objects has a column for each of their keys, ``"stream.key"``. Where a stream has no point
        at a time, its value is missing (NaN). Several points of a stream at the same time have a row each.

        Raises:
            ModuleNotFoundError: The extra ``frames`` is not installed.
            LocalProtocolError: A time is outside of the years 1677 to 2262.
        """
        from ..frames import Columns, side_by_side

        return side_by_side({name: Columns.of(points) for name, points in self.items()})

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """
        Draw all streams into one picture, as `Device.plot` does; without units if the server does not answer now.

        Args:
            ax: Matplotlib axes to draw into, if one is enough for all streams; by default a new figure of ``matplotlib.pyplot``.

        Returns:
            The first of the axes; all are in its ``figure.axes``.

        Raises:
            ModuleNotFoundError: The extra ``plot`` is not installed.
            LocalProtocolError: The streams need more than one *ax*, or a time is after the year 9999.

        Calls: ``GET crud/<path>`` for each stream whose unit is not known.
        """
        from ..pictures import of_points, plot

        schemas = self._schemas()
        return plot([each for name in self for each in of_points(self[name], name, schemas.get(name))], "", ax)

    def _schemas(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        try:
            for name, stream in self._streams.items():
                with stream._session.within(Deadline(_PATIENCE)):
                    found[name] = stream.schema
        except ConnectorDBError as error:
            log.warning("a picture without units: %s", error)
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the points alone."""
        return type(self), (dict(self),)

    def _sheet(self) -> Sheet:
        from ..display import of_several

        return of_several(self, type(self).__name__)

    def __repr__(self) -> str:
        """Return the number of points of each stream."""
        return f"<{type(self).__name__} {', '.join(f'{name}: {len(points):,}' for name, points in self.items())}>"


def chosen(device: Device, streams: Iterable[Stream | str] | None) -> dict[str, Stream]:
    """
    Return streams by the names by which they are asked for.

    Args:
        device: The device to which bare names belong.
        streams: Names, paths, or streams; ``None`` for all streams of the device.

    Raises:
        LocalProtocolError: One of them is no stream, or is given twice.

    Calls: Without *streams*, ``GET crud/<path>?q=ls``.
    """
    if streams is None:
        return {stream.name: stream for stream in device.streams()}
    if isinstance(streams, str) or not isinstance(streams, Iterable):
        raise LocalProtocolError(f"streams={streams!r:.100}: expected a list of streams, of their paths or names")
    found: dict[str, Stream] = {}
    for each in streams:
        stream = one(device, each)
        name = each if isinstance(each, str) else stream.path
        if name in found:
            raise LocalProtocolError(f"{name!r} is given twice")
        found[name] = stream
    return found


def one(device: Device, stream: Any) -> Stream:
    """
    Return the stream that is meant by a `Stream`, by a path, or by the bare name of one of *device*'s streams.

    Raises:
        LocalProtocolError: *stream* is none of these.
    """
    from .stream import Stream

    if isinstance(stream, Stream):
        return stream
    if not isinstance(stream, str):
        raise LocalProtocolError(f"{stream!r:.100} is no stream: expected a Stream, 'user/device/stream', or a name")
    if "/" not in stream:
        return device[stream]
    found = device._at(Path.parse(stream))
    if not isinstance(found, Stream):
        raise LocalProtocolError(f"{stream!r} is a {found._path.kind}: expected a stream, 'user/device/stream'")
    return found
