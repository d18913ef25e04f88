"""What becomes of the connection, told to any number of handlers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .dispatch import Lane

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionEvent:
    """
    What happened to the websocket.

    Attributes:
        server: Its address.
        attempt: How many attempts to connect it took; of a loss, how many have failed since there was a connection.
        reason: Why it was lost, or could not be made; ``None`` once it is there, and if it was given up: nobody needed it,
            or a better server is there.
    """

    server: str
    attempt: int
    reason: Exception | None = None


Handler = Callable[[ConnectionEvent], object]

_H = TypeVar("_H", bound=Handler)


class Event:
    """
    Handlers of one kind of event, called in the order in which they were added, on a thread of their own::

        @cdb.on_disconnect
        def tell(event):
            print("no connection:", event.reason)

        cdb.on_disconnect.remove(tell)
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._handlers: tuple[Handler, ...] = ()

    def __call__(self, handler: _H) -> _H:
        """Add *handler*, and return it: for decorators."""
        with self._lock:
            self._handlers += (handler,)
        return handler

    def remove(self, handler: Handler) -> None:
        """Call *handler* no more; one that was not added is passed over."""
        with self._lock:
            self._handlers = tuple(other for other in self._handlers if other != handler)

    def fire(self, event: ConnectionEvent, lane: Lane) -> None:
        """Have the handlers called on *lane*; one that raises is logged, and the others are called."""
        handlers = self._handlers
        if handlers:
            lane.put(lambda: self._call(handlers, event))

    def _call(self, handlers: tuple[Handler, ...], event: ConnectionEvent) -> None:
        for handler in handlers:
            try:
                handler(event)
            except Exception:
                log.exception("a handler of %s raised; the others are called", self._name)


class Events:
    """
    The events of one client.

    Attributes:
        on_connect: A first connection is there.
        on_disconnect: A connection was lost, or given up as nobody needed it.
        on_reconnect: There is one again.
        on_error: An attempt to connect failed.
        reconnects: How often there was one again after a loss.
    """

    def __init__(self) -> None:
        self.reconnects = 0
        self.on_connect = Event("on_connect")
        self.on_disconnect = Event("on_disconnect")
        self.on_reconnect = Event("on_reconnect")
        self.on_error = Event("on_error")


class Reporter:
    """
    Makes events of what the loop says; on its thread.

    Args:
        events: Whose handlers are called.
        server: Returns the address of the server that was connected to, or tried to be.
        lane: Where.
    """

    def __init__(self, events: Events, server: Callable[[], str], lane: Lane) -> None:
        self._events, self._server, self._lane = events, server, lane
        self._is_open = False
        self._was_open = False
        self._was_lost = False
        self._attempts = 0

    def opened(self) -> None:
        """Take note of a connection."""
        self._events.reconnects += self._was_lost
        self._was_lost = False
        event = self._events.on_reconnect if self._was_open else self._events.on_connect
        event.fire(ConnectionEvent(self._server(), self._attempts + 1), self._lane)
        self._is_open = self._was_open = True
        self._attempts = 0

    def lost(self, error: Exception | None) -> None:
        """Take note that it has ended, or could not be made."""
        if self._is_open:
            self._was_lost = error is not None
            self._events.on_disconnect.fire(ConnectionEvent(self._server(), 0, error), self._lane)
        elif error is not None:
            self._attempts += 1
            self._events.on_error.fire(ConnectionEvent(self._server(), self._attempts, error), self._lane)
        self._is_open = False
