"""`Device`: it logs in, and owns streams."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from ..exceptions import LocalProtocolError, PermissionDenied
from ..protocol import rest
from .fields import Field
from .several_streams import SeveralStreams
from .shown import of_listed

if TYPE_CHECKING:
    from ..display import Sheet
    from ..live import DeviceMirror, OnError
    from .stream import Stream
    from .user import User


class Device(SeveralStreams, depth=2):
    """Anything that logs in with an API key and has streams: a sensor, a program, a lamp."""

    public: Field[bool | None] = Field(None, doc="Whether other users see it, its streams and their points.")
    role: Field[str | None] = Field(
        None, doc='What it may see beyond itself: ``"none"``, ``"reader"``, ``"writer"`` or ``"user"``.'
    )
    enabled: Field[bool | None] = Field(None, doc="For information only: whether it is in use.")
    visible: Field[bool | None] = Field(None, doc="For information only: whether lists should show it.")
    user_editable: Field[bool | None] = Field(None, doc="For information only: whether people should change it.")
    apikey: Field[str | None] = Field(
        None,
        readonly=True,
        doc="The key with which it logs in, if the caller may see it; `reset_apikey` makes a new one.",
    )

    def create(self, public: bool = False, **properties: Any) -> None:
        """
        Create the device.

        Args:
            public: Whether other users see it; then its user has to be public, too.
            properties: Further properties, such as ``nickname``, ``role`` or ``apikey``; and ``streams={name: properties}``, which
                are created with it.

        Raises:
            LocalProtocolError: A name is not valid, or there is no such property.
            jsonschema.SchemaError: A schema is not valid; nothing was sent.
            Conflict: The device exists already, or another one has that key.

        Calls: ``POST crud/<path>``.
        """
        self._create({"public": public, **properties})

    def set(self, property_dict: Mapping[str, Any]) -> None:
        """As `ConnectorObject.set`; a connection that changes its own key goes on with the new one."""
        super().set(property_dict)
        if "apikey" in property_dict and self._path == self._session.path:
            self._session.use_apikey(property_dict["apikey"] or self._shown_apikey())

    def reset_apikey(self) -> str:
        """
        Replace the API key by a new one, and return that.

        From then on requests with the old key are refused; a websocket that it has opened stays open until it closes.

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
        return self._listed(self._path, self._session.call(rest.list_streams(self._path)))

    def __getitem__(self, stream: str) -> Stream:
        """Return a stream of this device, without asking the server."""
        return cast("Stream", self._at(self._path / stream))

    def _ipython_key_completions_(self) -> list[str]:
        """Return the streams' names for completion in IPython; quickly, even if the server does not answer."""
        from . import completion  # only needed at a prompt

        return completion.below(self._session, self._place)

    def live(self, keep: float | timedelta = 1, *, on_error: OnError | None = None) -> DeviceMirror:
        """
        Return mirrors of all streams of the device, by name; streams that are created or deleted later come and go in it.

        Args:
            keep: How much each mirror holds, as for `Stream.live`.
            on_error: Called with what a function given to `on_change` raises, and with errors that occur later; by default they
                are logged.

        Raises:
            NotFound, PermissionDenied: The device does not exist, or the caller may not see it.
            ConnectionFailed: The server cannot be reached.
        """
        from ..live import mirror_device

        return mirror_device(self._session.live, self._session.call, self._path, keep, on_error=on_error)

    @contextmanager
    def _logged_in(self) -> Iterator[Device]:
        """Yield this device on a session that is logged in as the device itself."""
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
        """The user to whom it belongs."""
        return self._user()

    def export(self, directory: str | os.PathLike[str]) -> None:
        """
        Write the device with its streams and their points into a new folder.

        The folder contains the API key, so only its owner may read it.

        Raises:
            FileExistsError: The folder exists already.
        """
        from .folders import exports  # rarely used, and slow to load

        exports.export(self, directory)

    def import_stream(self, directory: str | os.PathLike[str]) -> None:
        """
        Create a stream with its points from what `Stream.export` wrote.

        As only a device itself puts points into its streams, this logs in as the device, with its key.

        Raises:
            ValueError: The stream exists already, or the folder is no export of a stream.
        """
        from .folders import exports  # rarely used, and slow to load

        exports.import_stream(self, directory)
