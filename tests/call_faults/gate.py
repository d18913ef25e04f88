"""
The gate before the server: passes requests on, and counts them, until it is told to have a fault.

It is reached by a name of its own, so that a fault can be in the way there too. What it counts is what came: a request of which
the head was read.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectordb.protocol.features import HEADER

from ..support.fault_proxy import read_message, without
from ..support.tunnel import Tunnel
from .names import DOMAIN, Name, Where, register

#: Has the other end see an RST, not a FIN.
_AT_ONCE = struct.pack("ii", 1, 0)

#: Seconds that the server is waited for.
_SERVER = 30.0


@dataclass
class Exchange:
    """
    A request on its way, for a fault to do something about it.

    Attributes:
        gate: Where it came.
        client: The connection on which it came.
        request: Its bytes.
        answer: The server's, if it was passed on.
    """

    gate: Gate
    client: socket.socket
    request: bytes
    answer: bytes

    @property
    def line(self) -> str:
        """Its first line."""
        return self.request.split(b"\r\n", 1)[0].decode("latin-1")

    def reset(self) -> bool:
        """Reset the connection; return that it is over."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        return False


#: Does something about a request; tells whether its connection goes on.
Play = Callable[[Exchange], bool]

#: Does something with a connection before the first byte; returns what becomes of it, nothing if it is over.
Meet = Callable[["Gate", socket.socket], "socket.socket | None"]


@dataclass(frozen=True)
class Trouble:
    """
    What a gate is to do: one of the first three.

    Attributes:
        where: Where its name leads.
        meet: What happens to a connection.
        play: What happens to a request.
        is_passed_on: Whether the server gets the request all the same.
        first: Which request meets it first, counted from 1.
        is_once: Whether no other does.
    """

    where: Where | None = None
    meet: Meet | None = None
    play: Play | None = None
    is_passed_on: bool = False
    first: int = 1
    is_once: bool = False


class Gate:
    """
    See the module.

    Args:
        number: Tells its name from others.
        target: The server's URL.
        elsewhere: The URL of a host that is none of the server's, to redirect to.
        context: Of TLS, if it speaks that.

    Attributes:
        url: Where it is.
        lines: The first lines of the requests that came since the last trouble began.
        released: Set when whoever stalls should stop.
        announces: Whether clients learn what the server can do beyond 0.3; otherwise it is an original one to them.
    """

    def __init__(self, number: int, target: str, elsewhere: str, context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "localhost", parts.port or 80)
        self.elsewhere = elsewhere
        self.context = context
        self._closing = ExitStack()
        self._listener = self._listen()
        port = self._listener.getsockname()[1]
        host = f"{'s' if context else 'p'}{number}{DOMAIN}"
        self.name: Name = register(host)
        self.url = f"{'https' if context else 'http'}://{host}:{port}"
        self.released = threading.Event()
        self.announces = True
        # guards what follows
        self._lock = threading.Lock()
        self._trouble: Trouble | None = None
        self._met = 0
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.lines: list[str] = []
        self.met_connections = 0
        self._ended = False
        self._accepting = threading.Thread(target=self._accept, name="gate", daemon=True)
        self._accepting.start()

    def begin(self, trouble: Trouble) -> None:
        """Have this from now on; connections that were kept open are closed by it."""
        self.released = threading.Event()
        with self._lock:
            self._trouble = None
            self.lines, self._met, self.met_connections = [], 0, 0
        if trouble.where is not None or trouble.meet is not None:
            self.hang_up()
        self.name.lead(trouble.where or Where.GATE, trouble.is_once)
        with self._lock:
            self._trouble = trouble

    def calm(self) -> None:
        """Let everything pass again."""
        with self._lock:
            self._trouble = None
        self.released.set()
        self.name.calm()

    def hang_up(self) -> None:
        """Close all connections, as a server does with idle ones."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with suppress(OSError):  # it is gone already
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End all connections and threads."""
        self._ended = True
        self.calm()
        with suppress(OSError):  # wakes accept() where closing does not
            socket.create_connection(self._listener.getsockname(), 1).close()
        self.hang_up()
        for thread in [self._accepting, *self._threads]:
            thread.join(10)
        self._closing.close()

    # --- connections ---------------------------------------------------------------------------------------------------

    def _listen(self) -> socket.socket:
        """Return what listens; at another address of the same port nothing is ever answered, as its queue is full."""
        for _ in range(20):
            listener = socket.create_server((Where.GATE.value, 0))
            port = listener.getsockname()[1]
            try:
                full = self._closing.enter_context(socket.create_server((Where.DARK.value, port), backlog=0))
            except OSError:
                listener.close()
                continue
            self._closing.enter_context(listener)
            for _ in range(3):
                waiting = self._closing.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            return listener
        raise RuntimeError("no port is free at two addresses")

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._ended:
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,), name="gate-c", daemon=True)
            with self._lock:
                self._open.add(connection)
                self._threads = [other for other in self._threads if other.is_alive()] + [thread]
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        connection: socket.socket | None = plain
        try:
            plain.settimeout(_SERVER)
            with suppress(OSError):  # the client hung up, which it may
                if (meet := self._meeting()) is not None:
                    connection = meet(self, plain)
                elif self.context is not None:
                    connection = self.context.wrap_socket(plain, server_side=True)
                if connection is not None:
                    with self._lock:  # TLS has taken the socket out of the plain one
                        self._open = self._open - {plain} | {connection}
                while connection is not None and (request := read_message(connection)):
                    if not self._answer(connection, request):
                        break
        finally:
            with self._lock:
                self._open -= {plain, connection}
            if connection is not None:
                connection.close()
            plain.close()

    # --- requests ------------------------------------------------------------------------------------------------------

    def _meeting(self) -> Meet | None:
        """Return what happens to a connection that was made just now."""
        with self._lock:
            trouble = self._trouble
            self.met_connections += 1
            if trouble is None or trouble.meet is None or (trouble.is_once and self.met_connections > 1):
                return None
            return trouble.meet

    def _playing(self) -> Trouble | None:
        with self._lock:
            trouble = self._trouble
            self._met += 1
            if trouble is None or trouble.play is None or self._met < trouble.first:
                return None
            return None if trouble.is_once and self._met > trouble.first else trouble

    def _answer(self, client: socket.socket, request: bytes) -> bool:
        exchange = Exchange(self, client, request, b"")
        with self._lock:
            self.lines.append(exchange.line)
        trouble = self._playing()
        if is_websocket(exchange.line):
            if trouble is None:
                with self._upstream() as upstream:
                    Tunnel(client, upstream, self.announces, lambda: None).run(request)
                return False
        elif trouble is None or trouble.is_passed_on:
            exchange.answer = self._ask(request)
        if trouble is None:
            client.sendall(exchange.answer)
            return True
        assert trouble.play is not None
        return trouble.play(exchange)

    def _ask(self, request: bytes) -> bytes:
        """Return the server's answer; whole, not compressed and not in chunks, so that it can be cut where one wants."""
        with self._upstream() as upstream:
            upstream.sendall(without("Accept-Encoding", request))
            answer = read_message(upstream)
        head, _, body = (answer if self.announces else without(HEADER, answer)).partition(b"\r\n\r\n")
        if b"chunked" not in head:
            return head + b"\r\n\r\n" + body
        body = _joined(body)
        head = without("Transfer-Encoding", head + b"\r\n\r\n")[:-4]
        return head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def _upstream(self) -> socket.socket:
        upstream = socket.create_connection(self._target, _SERVER)
        upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return upstream


def _joined(chunked: bytes) -> bytes:
    body = b""
    while chunked:
        size, _, rest = chunked.partition(b"\r\n")
        body += rest[: int(size, 16)]
        chunked = rest[int(size, 16) + 2 :] if int(size, 16) else b""
    return body


def is_websocket(line: str) -> bool:
    """Tell whether a request with that first line asks for a websocket."""
    return line.split(" ", 2)[1].partition("?")[0].endswith("/websocket")
