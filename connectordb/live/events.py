"""Events of the connection (made, lost, made again, failed), and their handlers."""

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
        server: The address of the server.
        attempt: How many attempts it took to connect; for an error, how many have failed in a row; for a loss, 0.
        reason: Why the connection was lost or could not be made; ``None`` if it was made, or if it was closed on purpose: because
            nobody needed it, or because a better server is available.
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
        """Stop calling *handler*; one that was never added is ignored."""
        with self._lock:
            self._handlers = tuple(other for other in self._handlers if other != handler)

    def fire(self, event: ConnectionEvent, lane: Lane) -> None:
        """Call the handlers on *lane*; if one raises, that is logged, and the others are called all the same."""
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
        on_connect: The first connection was made.
        on_disconnect: A connection was lost, or closed because nobody needed it.
        on_reconnect: A connection was made again.
        on_error: An attempt to connect failed.
        reconnects: How many times a connection was made again after a loss.
    """

    def __init__(self) -> None:
        self.reconnects = 0
        self.on_connect = Event("on_connect")
        self.on_disconnect = Event("on_disconnect")
        self.on_reconnect = Event("on_reconnect")
        self.on_error = Event("on_error")


class Reporter:
    """
    Turns what the loop says, on its thread, into events.

    Args:
        events: The events.
        server: Returns the address of the server that we connected to last, or tried to.
        lane: Where handlers are called.
    """

    def __init__(self, events: Events, server: Callable[[], str], lane: Lane) -> None:
        self._events, self._server, self._lane = events, server, lane
        self._is_open = False
        self._was_open = False
        self._was_lost = False
        self._attempts = 0

    def opened(self) -> None:
        """There is a connection."""
        self._events.reconnects += self._was_lost
        self._was_lost = False
        event = self._events.on_reconnect if self._was_open else self._events.on_connect
        event.fire(ConnectionEvent(self._server(), self._attempts + 1), self._lane)
        self._is_open = self._was_open = True
        self._attempts = 0

    def lost(self, error: Exception | None) -> None:
        """The connection has ended, or could not be made."""
        if self._is_open:
            self._was_lost = error is not None
            self._events.on_disconnect.fire(ConnectionEvent(self._server(), 0, error), self._lane)
        elif error is not None:
            self._attempts += 1
            self._events.on_error.fire(ConnectionEvent(self._server(), self._attempts, error), self._lane)
        self._is_open = False
