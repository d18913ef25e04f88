"""Several streams at once: the part of `Device` that reads them."""

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
    """What reads streams: its own, by their names, and any, by their paths."""

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
        Return the points of several streams, as a dict: of each the same range, by the same clock, and several read at once.

        Example::

            today = cdb.read(["temperature", "mara/room/lamp"], t1="today")
            today["temperature"]    # its points
            today.to_df()           # all of it in one frame of pandas

        Args:
            streams: Streams, their paths, or names of the device's own; without it, all that the device has.
            t1: The range, as for ``stream(…)``; without any, all points.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``; of each stream.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            transform: As for ``stream(…)``; of each stream by itself.

        Raises:
            LocalProtocolError: One is no stream, or stands there twice; nothing was asked for.
            InvalidRange: The range is none.
            ResponseError: One of the streams cannot be read; the error's ``path`` says which.

        Calls: ``GET crud/<path>/data`` for each; without *streams*, ``GET crud/<path>?q=ls`` before.
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
        Return one frame of several streams: a row for each time at which one of them has a point, a column for each of them.

        It is that of ``read(…).to_df()``, without an object for each point in between, and read page by page.

        Raises:
            ModuleNotFoundError: The extra ``frames`` is not installed.
            LocalProtocolError: A time is outside of the years 1677 to 2262.

        Arguments and errors are else those of `read`; calls those of `Stream.to_df` for each.
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
        Draw several streams into one picture: an axis for each unit, all above the same time.

        Numbers of one unit share an axis; those without one do, too, as long as none of them becomes a flat line by it. Booleans
        share one. How each is drawn stands at `Stream.plot`.

        Args:
            streams: Each a `Stream`, a path ``"user/device/stream"`` (``/downlink`` may follow), or the name of one of the device's own;
                by default all of its own.
            t1: The range, the same of each, as for ``stream(…)``.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            transform: PipeScript that runs over each.
            ax: Axes of matplotlib to draw into, if all of them go together; without it there is a new figure of
                ``matplotlib.pyplot``.

        Returns:
            The first of the axes; all are in its ``figure.axes``.

        Raises:
            ModuleNotFoundError: The extra ``plot`` is not installed.
            InvalidRange: The range is none.
            LocalProtocolError: One is no stream; they do not go together in one *ax*; or a time is beyond the year 9999.

        Calls: For each as `Stream.plot`; without *streams* ``GET crud/<path>?q=ls``.
        """
        from ..pictures import plot

        asked = Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        found = self._of_each(streams, lambda stream: stream._series("", asked))
        return plot([each for series in found.values() for each in series], self.path if streams is None else "", ax)
