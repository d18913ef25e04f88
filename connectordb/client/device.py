"""A device: what logs in, and owns streams."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ..exceptions import LocalProtocolError, PermissionDenied
from ..protocol import ranges, rest
from ..protocol.scripts import ScriptLike, script_text
from ..protocol.times import Time
from .fields import Field
from .resource import ConnectorObject, by_name
from .shown import of_listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..display import Sheet
    from ..live import DeviceMirror, OnError
    from .readings import Readings
    from .stream import Stream
    from .user import User


class Device(ConnectorObject, depth=2):
    """Anything that logs in with an API key, and has streams."""

    public: Field[bool | None] = Field(None, doc="Whether other users see it, its streams and their points.")
    role: Field[str | None] = Field(
        None, doc='What it sees beyond itself: nothing (``"none"``), or as ``"reader"``, ``"writer"`` or ``"user"``.'
    )
    enabled: Field[bool | None] = Field(None, doc="For information: whether it is in use.")
    visible: Field[bool | None] = Field(None, doc="For information: whether it is to be shown in lists.")
    user_editable: Field[bool | None] = Field(None, doc="For information: whether people are to change it.")
    apikey: Field[str | None] = Field(
        None,
        readonly=True,
        doc="The key that it logs in with, where the caller may see it; `reset_apikey` makes another.",
    )

    def create(self, public: bool = False, **properties: Any) -> None:
        """
        Create the device.

        Args:
            public: Whether other users see it; the user must be public then.
            properties: Others, such as ``nickname``, ``role`` or ``apikey``; and ``streams={name: properties}``, which are
                created with it.

        Raises:
            LocalProtocolError: A name or a property is none.
            jsonschema.SchemaError: A schema is none; nothing was sent.
            Conflict: There is such a device, or another one has the key.

        Calls: ``POST crud/<path>``.
        """
        self._create({"public": public, **properties})

    def set(self, property_dict: Mapping[str, Any]) -> None:
        """As `ConnectorObject.set`; whoever changes the key that it is logged in with goes on with the new one."""
        super().set(property_dict)
        if "apikey" in property_dict and self._path == self._session.path:
            self._session.use_apikey(property_dict["apikey"] or self._shown_apikey())

    def reset_apikey(self) -> str:
        """
        Replace the API key by a new one, and return that; the old one is of no use any more.

        Calls: ``PUT crud/<path>``.
        """
        self.set({"apikey": ""})
        return self._shown_apikey()

    def _shown_apikey(self) -> str:
        key = self.apikey
        if not key:
            raise PermissionDenied(
                f"{self.path} has a new API key, which the server does not show to this caller", method="PUT"
            )
        return key

    def _sheet(self) -> Sheet:
        return of_listed(self, "stream", self.streams)

    def streams(self) -> list[Stream]:
        """
        Return the streams, with their metadata.

        Calls: ``GET crud/<path>?q=ls``.
        """
        listed = self._session.call(rest.list_streams(self._path))
        return [cast("Stream", self._at(path, data)) for path, data in by_name(self._path, listed)]

    def __getitem__(self, stream: str) -> Stream:
        """Return a stream of this device, without asking the server."""
        return cast("Stream", self._at(self._path / stream))

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
        from .readings import Readings, chosen
        from .together import together

        fields = ranges.range_fields(now=self._session.clock.wall(), t1=t1, t2=t2, limit=limit, i1=i1, i2=i2)
        parameters = ranges.read_parameters(fields, script_text("transform", transform))
        named = chosen(self, streams)
        found = together(self._session, [partial(stream._read, stream._path, parameters) for stream in named.values()])
        return Readings(zip(named, found, strict=True))

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
        from .readings import chosen
        from .together import together

        read = [
            partial(stream._series, "", stream._asked(t1, t2, limit, i1, i2, transform=transform))
            for stream in chosen(self, streams).values()
        ]
        found = together(self._session, read)
        return plot([each for series in found for each in series], self.path if streams is None else "", ax)

    def _ipython_key_completions_(self) -> list[str]:
        """Return the streams' names, for IPython; at once, whatever becomes of the server."""
        from . import completion  # by who sits at a prompt

        return completion.below(self._session, self._place)

    def live(self, keep: float | timedelta = 1, *, on_error: OnError | None = None) -> DeviceMirror:
        """
        Return the mirrors of the device's streams by name; streams that appear and go are followed.

        Args:
            keep: How much each holds, as of `Stream.live`.
            on_error: Called with what a function given to `on_change` raises, and with what goes wrong later; without it, that
                is logged.

        Raises:
            NotFound, PermissionDenied: The device is not there, or not for this caller.
            ConnectionFailed: The server is away.
        """
        from ..live import mirror_device

        return mirror_device(self._session.live, self._session.call, self._path, keep, on_error=on_error)

    @contextmanager
    def _logged_in(self) -> Iterator[Device]:
        """Yield this device with itself as the caller."""
        if self._path == self._session.path:
            yield self
            return
        if not self.apikey:
            raise LocalProtocolError(
                f"only {self.path!r} itself puts points into its streams, and its API key is not shown to this caller"
            )
        session = self._session.of_another(self.apikey)
        try:
            yield Device(session, self._path)
        finally:
            session.close()

    @property
    def user(self) -> User:
        """The user it belongs to."""
        return self._user()

    def export(self, directory: str | os.PathLike[str]) -> None:
        """
        Write the device with its streams and their points into a new folder.

        The folder holds the API key, and so is for its owner only.

        Raises:
            FileExistsError: The folder is there already.
        """
        from . import exports  # rarely used, and not free to load

        exports.export(self, directory)

    def import_stream(self, directory: str | os.PathLike[str]) -> None:
        """
        Make a stream with its points from what `Stream.export` wrote.

        Only a device itself puts points into its streams, so this logs in as it, with its key.

        Raises:
            ValueError: There is such a stream, or the folder is no export of one.
        """
        from . import exports  # rarely used, and not free to load

        exports.import_stream(self, directory)
