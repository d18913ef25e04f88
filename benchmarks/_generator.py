"""
Load for servers, from one thread over bare sockets: requests are made beforehand or by one formatting of bytes, and of
answers only the status and the length are looked at. A request costs the generator about 10 µs, which is why it, and no HTTP
library, stands on the other side where the server is what is measured.
"""

from __future__ import annotations

import base64
import json
import re
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from urllib.parse import urlsplit

UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

#: Seconds without an answer after which a measurement is given up.
PATIENCE = 60.0


class Connection:
    """A kept-alive HTTP connection with at most one request under way."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.parts: list[bytes] = []
        self._left: int | None = None
        self._tail = b""

    def send(self, request: bytes) -> None:
        """Send a request."""
        self.parts, self._left, self._tail = [], None, b""
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take in what has come; return whether the answer is complete."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server closed the connection")
        if not self.parts:  # the head, which servers send in one piece
            head, _, data = data.partition(b"\r\n\r\n")
            if head[9:12] != b"200":
                raise RuntimeError(f"{head[:15].decode()}: {data[:300].decode()}")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            self._left = int(length[1]) if length else None  # None: chunked
        self.parts.append(data)
        if self._left is None:
            self._tail = (self._tail + data)[-5:]
            return self._tail == b"0\r\n\r\n"
        self._left -= len(data)
        return self._left <= 0

    def ask(self, request: bytes) -> tuple[float, float]:
        """Make one request; return the seconds until the first and until the last byte of its answer."""
        start = time.perf_counter()
        self.send(request)
        done = self.receive()
        first = time.perf_counter() - start
        while not done:
            done = self.receive()
        return first, time.perf_counter() - start

    @property
    def body(self) -> bytes:
        """The last answer's body, of one with a length."""
        return b"".join(self.parts)

    def close(self) -> None:
        """End it."""
        self.socket.close()


class Api:
    """Where a server is, and with whose credentials it is asked."""

    def __init__(self, url: str, name: str, secret: str) -> None:
        where = urlsplit(url)
        self.host, self.port = where.hostname or "", where.port or 80
        self.credentials = (name, secret)
        self._auth = base64.b64encode(f"{name}:{secret}".encode()).decode()

    def connect(self) -> Connection:
        """Return a new connection."""
        return Connection(self.host, self.port)

    def request(self, method: str, path: str, body: bytes = b"", length: int | None = None, extra: str = "") -> bytes:
        """Return a request as bytes; *length* is that of a body which is still to be formatted."""
        size = f"Content-Length: {length or len(body)}\r\n" if method == "POST" else ""
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nAuthorization: Basic {self._auth}\r\n"
        )
        return f"{head}Content-Type: application/json\r\n{size}{extra}\r\n".encode() + body

    def call(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Make one request over a connection of its own, and return the answer."""
        connection = self.connect()
        connection.ask(self.request(method, path, body))
        connection.close()
        return connection.body

    def as_device(self, path: str) -> Api:
        """Return the same server, asked with the key of the device at *path*."""
        key = json.loads(self.call("GET", f"/crud/{path}"))["apikey"]
        return Api(f"http://{self.host}:{self.port}", "", key)

    def stream(self, device: str, name: str) -> str:
        """Make a stream of numbers below a device, and return the path that its requests begin with."""
        path = f"/crud/{device}/{name}"
        self.call("POST", path, rb'{"schema": "{\"type\":\"number\"}"}')
        return path

    def inserts(self, path: str, value: str = "21.5") -> Iterator[bytes]:
        """Return inserts of one point, one after the other, without end."""
        body = f'[{{"t":%d,"d":{value}}}]'
        template = self.request("POST", f"{path}/data", body.encode(), len(body % 1_500_000_000))
        return (template % t for t in count(1_500_000_000))

    def subscribe(self, path: str) -> socket.socket:
        """Open a websocket, subscribe, and return the bare socket."""
        opened = socket.create_connection((self.host, self.port), timeout=PATIENCE)
        opened.sendall(self.request("GET", "/websocket", extra=UPGRADE))
        head = opened.recv(4096)
        if b" 101 " not in head:
            raise RuntimeError(f"no websocket: {head!r}")
        command = b'{"cmd":"subscribe","arg":"%s","transform":"","d":[]}' % path.removeprefix("/crud/").encode()
        opened.sendall(struct.pack("!BBH4x", 0x81, 0x80 | 126, len(command)) + command)  # masked with zeros
        return opened


def batch(start: int, size: int) -> bytes:
    """Return points as the body of an insert, two a second, with values of one digit behind the point."""
    points = (b'{"t":%.1f,"d":%.1f}' % (1.5e9 + k / 2, k * 37 % 1000 / 10) for k in range(start, start + size))
    return b"[%s]" % b",".join(points)


def rate(api: Api, sources: Sequence[Iterator[bytes]], seconds: float) -> float:
    """
    Send each source's requests over a connection of its own, one after the other, until they end or the time is up.

    Returns:
        The answers a second.
    """
    selector, waiting, answers = selectors.DefaultSelector(), len(sources), 0
    connections = [(api.connect(), source) for source in sources]
    start = time.perf_counter()
    for connection, source in connections:
        selector.register(connection.socket, selectors.EVENT_READ, (connection, source))
        connection.send(next(source))
    while waiting:
        ready = selector.select(PATIENCE)
        if not ready:
            raise TimeoutError("the server does not answer any more")
        for key, _ in ready:
            connection, source = key.data
            if connection.receive():
                answers += 1
                request = next(source, None) if time.perf_counter() - start < seconds else None
                if request is not None:
                    connection.send(request)
                else:
                    waiting -= 1
    taken = time.perf_counter() - start
    for connection, _ in connections:
        connection.close()
    return answers / taken


def fan_out(
    api: Api,
    requests: Iterator[bytes],
    subscribe: Callable[[], socket.socket],
    subscribers: int,
    paced: int,
    flood: int,
    publishers: int = 1,
) -> tuple[float, float]:
    """
    Send inserts, first one by one, each when everyone was told of the one before; then whenever one is answered.

    Args:
        api: The server.
        requests: The inserts.
        subscribe: Opens a websocket to which they are told.
        subscribers: How many of them.
        paced: How many inserts one by one.
        flood: How many behind them.
        publishers: Over how many connections those are sent.

    Returns:
        The messages a second of the second part, and the median seconds from an insert to a message of the first.
    """
    selector, connections = selectors.DefaultSelector(), [api.connect() for _ in range(publishers)]
    sockets = [subscribe() for _ in range(subscribers)]
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    for opened in sockets:
        selector.register(opened, selectors.EVENT_READ)
    time.sleep(1)  # subscriptions are not acknowledged
    told = answered = sent = 0
    delays: list[float] = []  # of every message, from the latest insert
    latest = start = 0.0

    def publish(connection: Connection) -> None:
        nonlocal sent, latest
        sent, latest = sent + 1, time.perf_counter()
        connection.send(next(requests))

    def turn() -> None:
        nonlocal told, answered
        ready = selector.select(PATIENCE)
        if not ready:
            raise TimeoutError(f"only {told} messages of {sent * subscribers} arrived")
        for key, _ in ready:
            if key.data is None:  # a message names its stream once, and all that can be waiting fit the buffer
                came = key.fileobj.recv(1 << 16).count(b'"stream"')  # type: ignore[union-attr]
                told += came
                delays.extend([time.perf_counter() - latest] * came)
            elif key.data.receive():
                answered += 1
                if start and sent < paced + flood:
                    publish(key.data)

    while answered < paced:
        publish(connections[0])
        while answered < sent or told < sent * subscribers:
            turn()
    delay, start = sorted(delays)[len(delays) // 2], time.perf_counter()
    for connection in connections:
        publish(connection)
    while told < (paced + flood) * subscribers or answered < sent:
        turn()
    taken = time.perf_counter() - start
    for opened in (*sockets, *(connection.socket for connection in connections)):
        opened.close()
    return flood * subscribers / taken, delay
