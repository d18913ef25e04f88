"""What comes from a server as it happens: the part of `ConnectorDB` that goes by the websocket."""

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
        """Whether the websocket is open that subscriptions go by; there is one as long as anything is subscribed to."""
        try:
            return self._session.has_live and self._session.live.is_connected
        except ClosedError:
            return False

    @property
    def on_connect(self) -> Event:
        """Handlers called once the websocket is there: ``@cdb.on_connect``; each gets a `connectordb.live.ConnectionEvent`."""
        return self._session.events.on_connect

    @property
    def on_disconnect(self) -> Event:
        """Handlers called when it was lost, or closed as nobody needed it any more."""
        return self._session.events.on_disconnect

    @property
    def on_reconnect(self) -> Event:
        """Handlers called when it is there again."""
        return self._session.events.on_reconnect

    @property
    def on_error(self) -> Event:
        """Handlers called when an attempt to connect it failed."""
        return self._session.events.on_error

    def reconnect(self) -> None:
        """
        Connect the websocket anew, at once; of several servers, to the next one, which requests go to from now on, too.

        With one server: if it was lost, instead of after the pause that grows with failures; one that is open stays.
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
        Have one callback called with what is inserted into many streams.

        Args:
            paths: Streams, downlinks, and ``"user/device/*"``: all streams of a device. Those that appear later are watched from
                their first point on, within half a minute, or at once where ``user/meta/log`` may be read.
            callback: Called as ``callback(path, points)``, as for `Stream.subscribe`; the points of each stream in order, and
                those of several streams at the same time.
            since: As for `Stream.subscribe`, for those that are there now.
            overflow: As for `Stream.subscribe`.
            wait: As for `Stream.subscribe`.
            on_error: As for `Stream.subscribe`.

        Raises:
            NotFound, PermissionDenied: Something is not there, or not for this caller.
            ConnectionFailed: The server is away.
            LocalProtocolError: A path is none.
        """
        from ..live import Options, subscribe_to_many

        session, options = self._session, Options(since=since, overflow=overflow, on_error=on_error)
        return subscribe_to_many(session.live, session.call, paths, callback, options, wait)

    def pump(self, timeout: float = 0.0) -> int:
        """
        Run callbacks that wait, on this thread; return how many. For a connection that was made with ``threads=0``.

        Args:
            timeout: Seconds to wait for the first, and after which no other is begun.
        """
        return self._session.live.pump(timeout)
