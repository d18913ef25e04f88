"""The part of `ConnectorDB` that uses the websocket: subscriptions to many streams, and the events of the connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..exceptions import ClosedError
from .device import Device

if TYPE_CHECKING:
    from ..live import Callback, Event, ManySubscriptions, OnError, Overflow
    from ..protocol.times import Time


class LiveConnection(Device):
    """A device that is logged in, and its websocket."""

    @property
    def is_connected(self) -> bool:
        """Whether the websocket for subscriptions is open; there is one as long as anything is subscribed to."""
        try:
            return self._session.has_live and self._session.live.is_connected
        except ClosedError:
            return False

    @property
    def on_connect(self) -> Event:
        """Handlers called when the websocket was opened first: ``@cdb.on_connect``; each gets a `connectordb.live.ConnectionEvent`."""
        return self._session.events.on_connect

    @property
    def on_disconnect(self) -> Event:
        """Handlers called when it was lost, or closed because nothing needed it any more."""
        return self._session.events.on_disconnect

    @property
    def on_reconnect(self) -> Event:
        """Handlers called when it was opened again after a loss."""
        return self._session.events.on_reconnect

    @property
    def on_error(self) -> Event:
        """Handlers called when an attempt to open it failed."""
        return self._session.events.on_error

    def reconnect(self) -> None:
        """
        Connect the websocket now, without waiting for the pause that grows with failures; an open one stays as it is.

        With several servers, switch to the next one, for requests as well.
        """
        self._session.leave_server()
        self._session.live.hurry()

    def subscribe(
        self,
        paths: Sequence[str],
        callback: Callback,
        *,
        since: Time | None = None,
        overflow: Overflow = "catch_up",
        wait: bool = True,
        on_error: OnError | None = None,
    ) -> ManySubscriptions:
        """
        Call one callback with what is inserted into any of many streams.

        Args:
            paths: Paths of streams or downlinks, or ``"user/device/*"`` for all streams of a device. Streams that are created
                later are watched from their first point on: at once if the caller may read ``user/meta/log``, otherwise within
                half a minute.
            callback: Called as ``callback(path, points)``, as for `Stream.subscribe`. The points of each stream come in order;
                calls for different streams may run at the same time.
            since: As for `Stream.subscribe`; for the streams that exist now.
            overflow: As for `Stream.subscribe`.
            wait: As for `Stream.subscribe`.
            on_error: As for `Stream.subscribe`.

        Raises:
            NotFound, PermissionDenied: Something does not exist, or the caller may not read it.
            ConnectionFailed: The server cannot be reached.
            LocalProtocolError: A path is not valid.
        """
        from ..live import Options, subscribe_to_many

        session, options = self._session, Options(since=since, overflow=overflow, on_error=on_error)
        return subscribe_to_many(session.live, session.call, paths, callback, options, wait)

    def pump(self, timeout: float = 0.0) -> int:
        """
        Run the callbacks that are due on this thread, and return how many ran. For connections made with ``threads=0``.

        Args:
            timeout: Seconds to wait for the first callback; once they are over, no further one is begun.

        What callbacks need of the server, points that were missed and acknowledgements of commands, is asked for here too, one
        request at a time. A request that fails is tried again by a later call.
        """
        return self._session.live.pump(timeout)
