"""
The door: takes connections, no more than are allowed, before TLS or HTTP has cost anything.

Who comes when it is full is told so, briefly, and sent away; nothing of him stays but a socket for a second. Behind the door
everybody has a `Pass`, and whoever has one returns it when the connection ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import uuid
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from ..proxies import Proxies, plain, site

log = logging.getLogger(__name__)

#: Seconds that a socket of somebody who was sent away is kept, so that what he was told is not lost with it, and how many.
_FAREWELL = 1.0
_FAREWELLS = 64

#: Seconds between lines of the log about the same thing, whatever happens.
_QUIET = 10.0

#: Seconds without accepting after the system could not give a connection, mostly for want of files or memory.
_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    How many may be inside.

    Attributes:
        connections: In all.
        per_address: From one address, or one network of IPv6 addresses; of trusted proxies as many as in all.
        handshake_seconds: For TLS to be agreed upon.
    """

    connections: int
    per_address: int
    handshake_seconds: float


class Pass:
    """The right of one connection to be inside; given back once, however often that is said."""

    def __init__(self, door: Door, whose: str) -> None:
        self._door = door
        self._whose = whose
        self._valid = True

    def give_back(self) -> None:
        """Leave."""
        if self._valid:
            self._valid = False
            self._door.left(self._whose)


class Door:
    """
    Accepts the connections of a listening socket; used on the event loop's thread only.

    Args:
        welcome: Makes the protocol that speaks with a new connection, which gives back the pass in ``connection_lost``.
        farewell: Returns the whole HTTP answer for who is sent away, given what he is told and the log's reference.
        bounds: How many may be inside.
        proxies: Whose connections are many clients' ones.
        tls: Returns the context that holds for a new connection; `None` where there is no TLS.
    """

    def __init__(
        self,
        welcome: Callable[[Pass], asyncio.Protocol],
        farewell: Callable[[str, str], bytes],
        bounds: Bounds,
        *,
        proxies: Proxies | None = None,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._listener: socket.socket | None = None
        self._welcome = welcome
        self._farewell = farewell
        self._bounds = bounds
        self._proxies = proxies or Proxies()
        self._tls = tls
        self._closing = ""
        self._accepting: asyncio.Task[None] | None = None
        self._beginning: set[asyncio.Task[None]] = set()
        #: Connections by whose they are.
        self._inside: Counter[str] = Counter()
        self.count = 0
        #: How many were sent away.
        self.refused = 0
        self._leaving: deque[tuple[socket.socket, asyncio.TimerHandle]] = deque()
        self._episode = ("", 0.0)

    def open(self, listener: socket.socket) -> None:
        """Begin with a socket that is bound, which `close` closes."""
        listener.setblocking(False)
        self._listener = listener
        self._accepting = asyncio.get_running_loop().create_task(self._accept_all(listener))

    def refuse_all(self, why: str) -> None:
        """From now on tell everybody *why* he cannot come in."""
        self._closing = why

    async def close(self) -> None:
        """Let nobody in any more; who is inside stays. May be called again."""
        if self._listener is not None and self._listener.fileno() != -1:
            # before Python 3.11, who is being accepted in this instant would be lost, and stay open
            with contextlib.suppress(NotImplementedError):
                asyncio.get_running_loop().remove_reader(self._listener)
        tasks = [*self._beginning, *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        while self._leaving:
            self._forget()

    def left(self, whose: str) -> None:
        """Note that somebody has gone."""
        self.count -= 1
        self._inside[whose] -= 1
        if not self._inside[whose]:
            del self._inside[whose]

    async def _accept_all(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(listener)
            except ConnectionError:
                continue  # gone before it was taken
            except OSError as error:
                # no more files or memory, or what the network says of a connection that is none (accept(2)): both pass
                self._tell(f"no connection can be taken: {error.strerror}")
                await asyncio.sleep(_PAUSE)
                continue
            try:
                self._take(connection, plain(peer[0]) if isinstance(peer, tuple) else "")
            except Exception:
                # a bug, but not one for which nobody else should come in
                log.exception("taking a connection failed")
                connection.close()

    def _take(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(False)
        whose = "" if self._proxies.trusts(address) else site(address)
        why = self._why_not(whose)
        if why:
            self._send_away(connection, address, why)
            return
        self.count += 1
        self._inside[whose] += 1
        task = asyncio.get_running_loop().create_task(self._begin(connection, Pass(self, whose), address))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    def _why_not(self, whose: str) -> str:
        if self._closing:
            return self._closing
        if self.count >= self._bounds.connections:
            return "The server has too many connections; try again later."
        # the passes of trusted proxies have no name: they are bounded in all only
        if whose and self._inside[whose] >= self._bounds.per_address:
            return "Too many connections from this address; close some, or try again later."
        return ""

    async def _begin(self, connection: socket.socket, ticket: Pass, address: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            if self._tls is None:
                await loop.connect_accepted_socket(lambda: self._welcome(ticket), connection)
            else:
                seconds = self._bounds.handshake_seconds
                await loop.connect_accepted_socket(
                    lambda: self._welcome(ticket), connection, ssl=self._tls(), ssl_handshake_timeout=seconds
                )
        except OSError as error:  # who speaks no TLS, and whoever scans ports
            log.debug("a connection from %s came to nothing: %s", address, error)
            ticket.give_back()
            connection.close()
        except BaseException:
            ticket.give_back()
            connection.close()
            raise

    # --- sending away ---

    def _send_away(self, connection: socket.socket, address: str, why: str) -> None:
        self.refused += 1
        ref = self._tell(f"sending connections away, the first from {address}: {why}")
        if self._tls is not None:
            connection.close()  # what could be said would have to be said in TLS
            return
        try:
            connection.send(self._farewell(why, ref))
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            connection.close()  # it takes nothing
            return
        # Closed at once, with a request unread, the system would take back what was said.
        if len(self._leaving) >= _FAREWELLS:
            self._forget()
        self._leaving.append((connection, asyncio.get_running_loop().call_later(_FAREWELL, self._forget)))

    def _forget(self) -> None:
        """Close the socket that was kept longest."""
        connection, timer = self._leaving.popleft()
        timer.cancel()
        try:
            connection.recv(1 << 16)
        except OSError:
            pass  # nothing had come, or nobody is there
        connection.close()

    def _tell(self, what: str) -> str:
        """Log *what*, but not for each connection; return the reference that the log has."""
        ref, since = self._episode
        now = asyncio.get_running_loop().time()
        if not ref or now - since > _QUIET:
            ref = str(uuid.uuid4())
            self._episode = (ref, now)
            log.warning("%s (ref %s)", what, ref)
        return ref
