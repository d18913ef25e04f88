"""
The thread ``connectordb-live``: keeps one websocket open while anything is wanted, and is the only thread to touch it.

Other threads change what is wanted, and call `Loop.wake`. A lost connection is made again after a pause that grows with the number of
failures, with full jitter. What was inserted meanwhile, an original server does not send again.
"""

from __future__ import annotations

import logging
import random
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Protocol

from ...exceptions import AuthenticationError, ConnectionFailed, ConnectorDBError, RemoteProtocolError, ServerError
from ...runtime.clock import SYSTEM, Clock
from ...runtime.worker import Worker
from . import frames
from .connection import Connection
from .patience import Patience, Timing

log = logging.getLogger(__name__)

#: If more bytes than this wait for the network, no further commands are fetched.
_UNSENT_LIMIT = 64 * 1024

#: Seconds of pause if the system lacks what the thread needs, such as file descriptors.
_LACKING = 1.0


class Handler(Protocol):
    """What the thread asks, and tells; every method has to return soon."""

    def is_wanted(self) -> bool:
        """Tell whether there is a reason to be connected."""

    def is_waiting(self) -> bool:
        """Tell whether a command has not been answered yet."""

    def opened(self, announced: str | None) -> None:
        """There is a new connection, and this is what the server says it can do."""

    def lost(self, error: ConnectorDBError | None, goes_on: bool = False) -> None:
        """
        The connection has ended, or an attempt failed.

        Args:
            error: Why; ``None`` if it was closed on purpose: because nobody wants it, or because there is a better server.
            goes_on: Another server or key is tried at once, so this is not a failure yet.
        """

    def outgoing(self, now: float) -> tuple[list[bytes], int | None, float | None]:
        """Return commands to send, the number of a ping to send after them, and when to ask again at the latest."""

    def told(self, text: bytes) -> None:
        """Take a message of the server; raises `RemoteProtocolError` if it makes no sense."""

    def pong(self, number: int) -> None:
        """Take the answer to a ping."""


class Loop:
    """
    The thread and its connection.

    Args:
        connect: Returns a connection to be opened, and its ``Authorization`` header.
        handler: Is asked and told.
        timing: How patient the connection is.
        clock: The clocks.
        jitter: Returns a random number from 0 to 1.
        auto_reconnect: Whether to connect again after a loss; otherwise only a `wake` in a hurry does.
        unusable: Called when the server could not be reached, or says that it stops; returns whether there is another to go to.
        renew: Called with a header that the server refused; returns whether there is another one now.
    """

    def __init__(
        self,
        connect: Callable[[], tuple[Connection, str | None]],
        handler: Handler,
        timing: Timing,
        clock: Clock = SYSTEM,
        jitter: Callable[[], float] = random.random,
        auto_reconnect: bool = True,
        unusable: Callable[[], bool] = lambda: False,
        renew: Callable[[str | None], bool] = lambda refused: False,
    ) -> None:
        self._connect = connect
        self._renew = renew
        self._unusable = unusable
        self._handler = handler
        self._timing = timing
        self._clock = clock
        self._jitter = jitter
        self._auto_reconnect = auto_reconnect
        self._worker = Worker("live", self._run)
        # guards the four below, which other threads use
        self._lock = threading.Lock()
        self._wakeup: socket.socket | None = None
        self._opening: Connection | None = None
        self._hurry = False
        self._is_leaving = False
        # these two are only for the thread itself
        #: Whether another server or key is tried at once.
        self._goes_on = False
        #: Whether the present attempt has a new key, because the key of the one before was refused.
        self._has_renewed = False

    def start(self) -> None:
        """Start the thread, unless it is running."""
        self._worker.start()

    def wake(self, hurry: bool = False) -> None:
        """Make the thread look at what is wanted; with *hurry*, also end a pause between attempts to connect."""
        with self._lock:
            self._hurry = self._hurry or hurry
            if self._wakeup is not None:
                try:
                    self._wakeup.send(b"\0")
                except BlockingIOError:
                    pass  # it is full of such bytes, and will wake anyway

    def leave(self) -> None:
        """Make the thread close its connection, and connect again at once: there is a better server."""
        with self._lock:
            self._is_leaving = True
        self.wake(hurry=True)

    def stop(self) -> None:
        """Ask the thread to end."""
        self._worker.stop()
        with self._lock:
            opening = self._opening
        if opening is not None:
            opening.abort()
        self.wake()

    def join(self, timeout: float | None) -> bool:
        """Wait for the thread to end; tell whether it has."""
        return self._worker.join(timeout)

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                self._run_awake(stopping)
            except OSError as error:  # no file descriptors are left, for instance
                log.warning("live: %s; trying again in %g s", error, _LACKING)
                self._lost(ConnectionFailed(f"the websocket's thread lacks something of the system: {error}"))
                self._clock.wait(stopping, _LACKING)

    def _run_awake(self, stopping: threading.Event) -> None:
        """Do the thread's work, with a socket pair by which others wake it."""
        ours, theirs = socket.socketpair()
        with ours, theirs, selectors.DefaultSelector() as selector:
            ours.setblocking(False)
            theirs.setblocking(False)
            selector.register(ours, selectors.EVENT_READ)
            with self._lock:
                self._wakeup = theirs
            try:
                self._keep_connected(stopping, selector, ours)
            finally:
                with self._lock:
                    self._wakeup = None

    def _keep_connected(
        self, stopping: threading.Event, selector: selectors.BaseSelector, wakeup: socket.socket
    ) -> None:
        failures = 0
        while not stopping.is_set():
            if not self._handler.is_wanted():
                self._pause(stopping, selector, wakeup, None)
                continue
            started = self._clock.monotonic()
            error = self._one_connection(stopping, selector, wakeup)
            if stopping.is_set():
                error = None
            if not self._auto_reconnect:
                with self._lock:
                    self._hurry = False  # that was before the loss: without auto_reconnect, only a later hurry counts
            self._lost(error, self._goes_on)
            if error is None:
                failures = 0
                continue
            if self._goes_on:
                log.warning("live: %s; going on with another %s", error, "key" if self._has_renewed else "server")
                continue
            if not self._auto_reconnect:
                log.warning("live: %s; not trying again until somebody says so", error)
                while not stopping.is_set() and not self._pause(stopping, selector, wakeup, None):
                    continue
                continue
            failures = 1 if self._clock.monotonic() - started > self._timing.stable else failures + 1
            pause = self._timing.backoff.seconds(failures, self._jitter)
            log.warning("live: %s; trying again in %.1f s", error, pause)
            self._pause(stopping, selector, wakeup, self._clock.monotonic() + pause)

    def _lost(self, error: ConnectorDBError | None, goes_on: bool = False) -> None:
        try:
            self._handler.lost(error, goes_on)
        except Exception:  # the system had no thread for a callback, say; this thread has to go on
            log.exception("live: telling that the connection was lost failed")

    def _pause(
        self,
        stopping: threading.Event,
        selector: selectors.BaseSelector,
        wakeup: socket.socket,
        until: float | None,
    ) -> bool:
        """
        Wait until the time has come, or somebody is in a hurry; if there is no time, until somebody wakes the thread.

        Tell whether somebody is in a hurry.
        """
        while True:
            with self._lock:
                hurry, self._hurry = self._hurry, False
            left = None if until is None else until - self._clock.monotonic()
            if hurry or stopping.is_set() or (left is not None and left <= 0):
                return hurry
            # an hour stands for "for ever", so that every wait has an end
            if selector.select(3600.0 if left is None else left):
                _drain(wakeup)
                if until is None:
                    with self._lock:
                        hurry, self._hurry = self._hurry, False
                    return hurry

    def _one_connection(
        self, stopping: threading.Event, selector: selectors.BaseSelector, wakeup: socket.socket
    ) -> ConnectorDBError | None:
        """Open a connection, and serve it until it ends; return what ended it, unless we did so on purpose."""
        connection: Connection | None = None
        code = frames.NORMAL
        with self._lock:
            self._is_leaving = self._goes_on = False
        has_renewed, self._has_renewed = self._has_renewed, False
        try:
            connection, authorization = self._connect()
            try:
                self._open(connection, authorization, stopping)
            except AuthenticationError as refused:
                # only once: if the new key is refused as well, that is a failure like any other
                if refused.status == 401 and not has_renewed and not stopping.is_set():
                    self._goes_on = self._has_renewed = self._renew(authorization)
                raise
            self._handler.opened(connection.announced)
            selector.register(connection, selectors.EVENT_READ)
            try:
                self._serve(connection, stopping, selector, wakeup)
            finally:
                selector.unregister(connection)
            return None
        except ConnectorDBError as error:
            if isinstance(error, RemoteProtocolError):
                code = frames.TOO_LARGE if isinstance(error, frames.MessageTooLarge) else frames.BROKEN_RULES
            return error
        except Exception as error:
            log.exception("live: this is a bug; the connection is made anew")
            return ConnectionFailed(f"the websocket's thread failed: {error!r}")
        finally:
            if connection is not None:
                connection.close(code)

    def _open(self, connection: Connection, authorization: str | None, stopping: threading.Event) -> None:
        """Shake hands, in such a way that `stop` can cut it short."""
        with self._lock:
            self._opening = connection
        try:
            if not stopping.is_set():
                connection.open(authorization)
        except (ConnectionFailed, ServerError):
            self._goes_on = not stopping.is_set() and self._unusable()
            raise
        finally:
            with self._lock:
                self._opening = None
        if stopping.is_set():
            raise ConnectionFailed("closing")

    def _serve(
        self,
        connection: Connection,
        stopping: threading.Event,
        selector: selectors.BaseSelector,
        wakeup: socket.socket,
    ) -> None:
        """Send and receive until nothing is wanted, or the thread is to end."""
        now = self._clock.monotonic()
        patience = Patience(self._timing, now)
        due: float | None = now
        while not (stopping.is_set() or self._is_leaving):
            if due is not None and now >= due and connection.unsent < _UNSENT_LIMIT:
                due = self._tell(connection, patience, now)
            patience.waits(self._handler.is_waiting(), now)
            if patience.should_ask(now):
                connection.send(frames.PING, b"")
                patience.asked(now)
            if patience.is_dead(now):
                raise ConnectionFailed(f"the server has been silent for {patience.silence(now):.0f} s, even to a ping")
            if patience.is_deaf(now):
                raise ConnectionFailed("the server speaks, and does not hear: it has not answered, not even a ping")
            if patience.is_over(now):
                return
            connection.flush()
            until = patience.next()
            if due is not None and connection.unsent < _UNSENT_LIMIT:  # before, only what the network takes is news
                until = min(until, due)
            woken = self._wait(connection, selector, wakeup, 0.0 if connection.has_more else max(0.0, until - now))
            now = self._clock.monotonic()
            if woken and _drain(wakeup):
                due = now
                with self._lock:
                    self._hurry = False  # there is nothing to hurry for; the next pause is not meant
            before = connection.received
            whole = self._receive(connection, patience)
            if connection.received > before:
                patience.heard(now, whole)

    def _tell(self, connection: Connection, patience: Patience, now: float) -> float | None:
        """Queue what the server is to be told; return when to ask for more."""
        commands, ping, due = self._handler.outgoing(now)
        for command in commands:
            connection.send(frames.TEXT, command)
        if ping is not None:
            connection.send(frames.PING, str(ping).encode())
            patience.asked(now)
        patience.wanted(self._handler.is_wanted(), now)
        return due

    def _wait(
        self, connection: Connection, selector: selectors.BaseSelector, wakeup: socket.socket, seconds: float
    ) -> bool:
        """Wait until there is something to read or to send, or somebody wakes the thread; tell whether somebody did."""
        writing = selectors.EVENT_WRITE if connection.unsent else 0
        selector.modify(connection, selectors.EVENT_READ | writing)
        return any(key.fileobj is wakeup for key, _ in selector.select(seconds))

    def _receive(self, connection: Connection, patience: Patience) -> bool:
        """Handle what has arrived; tell whether there was anything whole, and not just part of a message."""
        events = connection.receive()
        for event in events:
            if event.opcode in (frames.TEXT, frames.BINARY):
                self._handler.told(event.payload)
            elif event.opcode == frames.PING:
                if connection.unsent < _UNSENT_LIMIT:  # a server that sends pings and reads nothing gets no answers
                    connection.send(frames.PONG, event.payload)
            elif event.opcode == frames.PONG:
                patience.answered(self._clock.monotonic())
                if event.payload.isdigit():
                    self._handler.pong(int(event.payload))
            else:
                self._goes_on = frames.says_it_leaves(event.payload) and self._unusable()
                raise ConnectionFailed(f"the server closed the websocket: {frames.close_reason(event.payload)}")
        return bool(events)


def _drain(wakeup: socket.socket) -> bool:
    """Take the bytes that woke the thread; tell whether there were any."""
    try:
        return bool(wakeup.recv(4096))
    except BlockingIOError:
        return False
