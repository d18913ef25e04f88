"""
The door: accepts connections, and sends away those that are too many before TLS or HTTP has cost anything.

A client that comes when the server is full gets a short answer that says so, and nothing of it is kept but a socket for a second.
Every connection inside has a `Pass`, which is given back when it ends.
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

#: Seconds for which the socket of a client that was sent away is kept, so that the answer reaches it; and how many are kept.
_FAREWELL = 1.0
_FAREWELLS = 64

#: Seconds between two lines of the log about connections that were not taken.
_QUIET = 10.0

#: Seconds without accepting after the system could not give a connection, mostly for lack of files or memory.
_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    How many connections there may be, and how long one may take to begin.

    Attributes:
        connections: Connections in all.
        per_address: Connections from one address, or one network of IPv6 addresses. Does not hold for trusted proxies.
        handshake_seconds: Seconds for the TLS handshake.
    """

    connections: int
    per_address: int
    handshake_seconds: float


class Pass:
    """One connection's right to be inside. Giving it back more than once does no harm."""

    def __init__(self, door: Door, whose: str) -> None:
        self._door = door
        self._whose = whose
        self._valid = True

    def give_back(self) -> None:
        """Say that the connection has ended."""
        if self._valid:
            self._valid = False
            self._door.left(self._whose)


class Door:
    """
    Accepts the connections of a listening socket; used on the event loop's thread only.

    Args:
        welcome: Makes the protocol for a new connection. It gives back the pass in ``connection_lost``.
        farewell: Makes the whole HTTP answer for a client that is sent away, from the message and the log's reference.
        bounds: How many connections there may be.
        proxies: The trusted proxies, whose connections are those of many clients.
        tls: Returns the TLS context for a new connection; `None` for no TLS.
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
        #: How many connections each client has.
        self._inside: Counter[str] = Counter()
        self.count = 0
        #: How many were sent away.
        self.refused = 0
        self._leaving: deque[tuple[socket.socket, asyncio.TimerHandle]] = deque()
        self._episode = ("", 0.0)

    def open(self, listener: socket.socket) -> None:
        """Begin to accept the connections of a listening socket, which `close` closes."""
        listener.setblocking(False)
        self._listener = listener
        self._accepting = asyncio.get_running_loop().create_task(self._accept_all(listener))

    def refuse_all(self, why: str) -> None:
        """From now on, send every new connection away and tell it *why*."""
        self._closing = why

    async def close(self) -> None:
        """Accept no more connections; those inside stay. May be called again."""
        if self._listener is not None and self._listener.fileno() != -1:
            # before Python 3.11, a connection that is being accepted at this instant would be lost, and stay open
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
        """Note that a client's connection has ended."""
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
                continue  # the client went away before it was accepted
            except OSError as error:
                # out of files or memory, or an error of the network about the new connection (accept(2)): both pass
                self._tell(f"no connection can be taken: {error.strerror}")
                await asyncio.sleep(_PAUSE)
                continue
            try:
                self._take(connection, plain(peer[0]) if isinstance(peer, tuple) else "")
            except Exception:
                # a bug, but others shall still be able to connect
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
        # the connections of trusted proxies are nobody's, and count only among all
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
        except OSError as error:  # a client without TLS, or a port scan
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
            connection.close()  # an answer would first need a TLS handshake
            return
        try:
            connection.send(self._farewell(why, ref))
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            connection.close()  # the client cannot be answered
            return
        # if the socket were closed now, with the request unread, the system would discard the answer
        if len(self._leaving) >= _FAREWELLS:
            self._forget()
        self._leaving.append((connection, asyncio.get_running_loop().call_later(_FAREWELL, self._forget)))

    def _forget(self) -> None:
        """Close the socket that was kept for the longest time."""
        connection, timer = self._leaving.popleft()
        timer.cancel()
        try:
            connection.recv(1 << 16)
        except OSError:
            pass  # nothing has come, or the client is gone
        connection.close()

    def _tell(self, what: str) -> str:
        """Log *what*, but not for every connection; return the reference under which it is in the log."""
        ref, since = self._episode
        now = asyncio.get_running_loop().time()
        if not ref or now - since > _QUIET:
            ref = str(uuid.uuid4())
            self._episode = (ref, now)
            log.warning("%s (ref %s)", what, ref)
        return ref
