"""Several streams that were read together."""

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

#: Seconds that a picture of points at hand waits for what they count.
_PATIENCE = 2.0


class Readings(dict[str, DatapointArray], Shown):
    """
    What was read of several streams: the points of each, under the name by which it was asked for.

    Args:
        points: These.
        streams: Streams that they are as they were stored in: what they count is in their schemas.
    """

    def __init__(
        self, points: Mapping[str, DatapointArray] | None = None, streams: Mapping[str, Stream] | None = None
    ) -> None:
        super().__init__(points or {})
        self._streams = streams or {}

    def to_df(self) -> pd.DataFrame:
        """
        Return one frame of pandas: a row for each time, in UTC, at which one of the streams has a point, and a column for each stream.

        Where all values of a stream are objects there is a column for each of their keys, ``"stream.key"``. What a stream has no
        point for is missing (NaN). Several points of a stream at the same time have a row each.

        Raises:
            ModuleNotFoundError: The extra ``frames`` is not installed.
            LocalProtocolError: A time is outside of the years 1677 to 2262.
        """
        from ..frames import Columns, side_by_side

        return side_by_side({name: Columns.of(points) for name, points in self.items()})

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """
        Draw all of them into one picture, as `Device.plot` does; without units, if the server does not answer now.

        Args:
            ax: Axes of matplotlib to draw into, if all go together; without it there is a new figure of ``matplotlib.pyplot``.

        Returns:
            The first of the axes; all are in its ``figure.axes``.

        Raises:
            ModuleNotFoundError: The extra ``plot`` is not installed.
            LocalProtocolError: They do not go together in one *ax*, or a time is beyond the year 9999.

        Calls: ``GET crud/<path>`` of each stream whose unit is not known.
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
        """Travel as the points alone."""
        return type(self), (dict(self),)

    def _sheet(self) -> Sheet:
        from ..display import of_several

        return of_several(self, type(self).__name__)

    def __repr__(self) -> str:
        """Return how many points there are of each."""
        return f"<{type(self).__name__} {', '.join(f'{name}: {len(points):,}' for name, points in self.items())}>"


def chosen(device: Device, streams: Iterable[Stream | str] | None) -> dict[str, Stream]:
    """
    Return streams under the names by which they are asked for.

    Args:
        device: Whose streams bare names are.
        streams: Names, paths, or streams; ``None`` for all that the device has.

    Raises:
        LocalProtocolError: One of them is no stream, or stands there twice.

    Calls: ``GET crud/<path>?q=ls`` for those of the device.
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
            raise LocalProtocolError(f"{name!r} stands twice among the streams")
        found[name] = stream
    return found


def one(device: Device, stream: Any) -> Stream:
    """
    Return a stream: itself, that of a path, or that of a bare name, which is *device*'s own.

    Raises:
        LocalProtocolError: It is none.
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
