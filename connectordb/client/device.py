"""A device: what logs in, and owns streams."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from ..exceptions import LocalProtocolError, PermissionDenied
from ..protocol import rest
from .fields import Field
from .resource import by_name
from .several_streams import SeveralStreams
from .shown import of_listed

if TYPE_CHECKING:
    from ..display import Sheet
    from ..live import DeviceMirror, OnError
    from .stream import Stream
    from .user import User


class Device(SeveralStreams, depth=2):
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
        Replace the API key by a new one, and return that.

        No request is taken with the old one any more; a websocket that it opened goes on until it closes.

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
        from .folders import exports  # rarely used, and not free to load

        exports.export(self, directory)

    def import_stream(self, directory: str | os.PathLike[str]) -> None:
        """
        Make a stream with its points from what `Stream.export` wrote.

        Only a device itself puts points into its streams, so this logs in as it, with its key.

        Raises:
            ValueError: There is such a stream, or the folder is no export of one.
        """
        from .folders import exports  # rarely used, and not free to load

        exports.import_stream(self, directory)
