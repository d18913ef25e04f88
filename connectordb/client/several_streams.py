"""The part of `Device` that reads several streams at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from ..protocol.ranges import Range
from .resource import ConnectorObject

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ..protocol.scripts import ScriptLike
    from ..protocol.times import Time
    from .device import Device
    from .readings import Readings
    from .stream import Stream

T = TypeVar("T")


class SeveralStreams(ConnectorObject):
    """A device that reads streams together: its own by their names, and others by their paths."""

    def _of_each(self, streams: Iterable[Stream | str] | None, read: Callable[[Stream], T]) -> dict[str, T]:
        from .points.together import together
        from .readings import chosen

        named = chosen(cast("Device", self), streams)
        return dict(zip(named, together(self._session, [partial(read, each) for each in named.values()]), strict=True))

    def read(
        self,
        streams: Iterable[Stream | str] | None = None,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        transform: ScriptLike | None = None,
    ) -> Readings:
        """
        Return the points of several streams as a dict. The range is the same for all, and several streams are read at once.

        Example::

            today = cdb.read(["temperature", "mara/room/lamp"], t1="today")
            today["temperature"]    # its points
            today.to_df()           # all of them in one pandas frame

        Args:
            streams: Streams, their paths, or names of the device's own; by default all streams of the device.
            t1: The range, as for ``stream(…)``; by default all points.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``; for each stream.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            transform: As for ``stream(…)``; it runs over each stream by itself.

        Raises:
            LocalProtocolError: One of them is no stream, or is given twice; the server was not asked.
            InvalidRange: The range is not valid.
            ResponseError: One of the streams cannot be read; the error's ``path`` says which.

        Calls: ``GET crud/<path>/data`` for each; without *streams*, ``GET crud/<path>?q=ls`` first.
        """
        from .readings import Readings

        asked = Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        found = self._of_each(streams, lambda stream: (stream, stream._read(stream._path, asked.parameters)))
        units = {} if asked.script else {name: stream for name, (stream, _) in found.items()}
        return Readings({name: points for name, (_, points) in found.items()}, units)

    def to_df(
        self,
        streams: Iterable[Stream | str] | None = None,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        transform: ScriptLike | None = None,
    ) -> pd.DataFrame:
        """
        Return one pandas frame of several streams: a column for each, and a row for each time at which one of them has a point.

        The frame is the same as that of ``read(…).to_df()``, but the streams are read page by page and without a Python object for
        each point.

        Raises:
            ModuleNotFoundError: The extra ``frames`` is not installed.
            LocalProtocolError: A time is outside of the years 1677 to 2262.

        Other arguments and errors are those of `read`; the calls are those of `Stream.to_df` for each stream.
        """
        from ..frames import side_by_side

        asked = Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        return side_by_side(self._of_each(streams, lambda stream: stream._columns(asked)))

    def plot(
        self,
        streams: Iterable[Stream | str] | None = None,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        transform: ScriptLike | None = None,
        *,
        ax: Axes | None = None,
    ) -> Axes:
        """
        Draw several streams into one picture: an axis for each unit, one below the other, with a common time axis.

        Numbers of the same unit share an axis. So do numbers without a unit, unless that would make one of them a flat line; and so
        do booleans. `Stream.plot` says how each stream is drawn.

        Args:
            streams: Streams, their paths (``"user/device/stream"``, also with ``/downlink``), or names of the device's own; by
                default all streams of the device.
            t1: The range, as for ``stream(…)``; the same for each stream.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            transform: PipeScript that runs over each stream by itself.
            ax: Matplotlib axes to draw into, if one is enough for all streams; by default a new figure of ``matplotlib.pyplot``.

        Returns:
            The first of the axes; all are in its ``figure.axes``.

        Raises:
            ModuleNotFoundError: The extra ``plot`` is not installed.
            InvalidRange: The range is not valid.
            LocalProtocolError: One of them is no stream, they need more than one *ax*, or a time is after the year 9999.

        Calls: Those of `Stream.plot` for each; without *streams*, ``GET crud/<path>?q=ls`` first.
        """
        from ..pictures import plot

        asked = Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        found = self._of_each(streams, lambda stream: stream._series("", asked))
        return plot([each for series in found.values() for each in series], self.path if streams is None else "", ax)
