"""
A peer on a real socket that answers HTTP requests by a script: with what a server says, or with what networks, proxies and
broken servers do.

::

    peer = Peer(answer("ok"), reset(), answer(b"<html>", content_type="text/html"))
    self.addCleanup(peer.close)
    ... peer.url ...
    peer.requests[0].method
"""

from __future__ import annotations

import itertools
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .case import MS, SOON

#: Has a port, and does not listen. To be held from before the first test: each is looked at for what it leaves open.
_TAKEN = socket.socket()
_TAKEN.bind(("127.0.0.1", 0))

_PHRASES = {200: "OK", 301: "Moved Permanently", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


@dataclass
class Received:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    #: Which connection it came on, counted from 0.
    connection: int

    @property
    def path(self) -> str:
        """The path, unquoted."""
        return unquote(urlsplit(self.target).path)

    @property
    def parameters(self) -> dict[str, str]:
        """The query."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


@dataclass
class Step:
    """What the peer does with one request, or, before it reads any, with a connection."""

    act: Callable[[Peer, socket.socket, Received | None], bool]
    on_connect: bool = False


def answer(body: Any = "ok", status: int = 200, headers: Mapping[str, str] | None = None, **more: str) -> Step:
    """Answer: text and bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    named = {
        "Content-Length": str(len(content)),
        **(headers or {}),
        **{k.replace("_", "-"): v for k, v in more.items()},
    }
    head = f"HTTP/1.1 {status} {_PHRASES.get(status, 'Status')}\r\n" + "".join(
        f"{k}: {v}\r\n" for k, v in named.items()
    )
    return raw(head.encode() + b"\r\n" + content)


def refuse(status: int, message: str, ref: str = "ref-1") -> Step:
    """Answer with the protocol's error object."""
    return answer({"code": status, "msg": message, "ref": ref}, status)


def raw(data: bytes, then_close: bool = False) -> Step:
    """Send these bytes."""

    def act(peer: Peer, connection: socket.socket, request: Received | None) -> bool:
        connection.sendall(data)
        return not then_close

    return Step(act)


def cut(body: bytes = b'[{"t":1,"d":', length: int = 100) -> Step:
    """Promise *length* bytes, send fewer, and close."""
    return raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (length, body), then_close=True)


def chunked(
    *pieces: bytes, ended: bool = True, before: Callable[[int], object] = lambda number: None, **headers: str
) -> Step:
    """Answer piece by piece, *before* each of which something is done; and close behind the last one, unless it is *ended*."""

    def act(peer: Peer, connection: socket.socket, request: Received | None) -> bool:
        named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{named}\r\n".encode())
        for number, piece in enumerate(pieces):
            before(number)
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        if ended:
            connection.sendall(b"0\r\n\r\n")
        return ended

    return Step(act)


def hang_up() -> Step:
    """Close without an answer."""
    return Step(lambda peer, connection, request: False)


def reset() -> Step:
    """Reset the connection instead of answering."""

    def act(peer: Peer, connection: socket.socket, request: Received | None) -> bool:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return Step(act)


def reset_at_connect() -> Step:
    """Reset a connection before anything was read from it, but not before its client has it and sends."""

    def act(peer: Peer, connection: socket.socket, request: Received | None) -> bool:
        connection.recv(1, socket.MSG_PEEK)
        return reset().act(peer, connection, request)

    return Step(act, on_connect=True)


def silence() -> Step:
    """Say nothing, until the peer is closed."""

    def act(peer: Peer, connection: socket.socket, request: Received | None) -> bool:
        peer.closing.wait(SOON)
        return False

    return Step(act)


def drip(data: bytes, every: float = 20 * MS) -> Step:
    """Send these bytes one at a time, over and over, until the peer is closed or nobody listens."""

    def act(peer: Peer, connection: socket.socket, request: Received | None) -> bool:
        for byte in itertools.cycle(data):
            if peer.closing.wait(every):
                break
            connection.sendall(bytes([byte]))
        return False

    return Step(act)


def flood(data: bytes, first: bytes = b"") -> Step:
    """Send *first*, and then these bytes over and over, as fast as they are taken, until nobody listens."""

    def act(peer: Peer, connection: socket.socket, request: Received | None) -> bool:
        connection.sendall(first)
        while not peer.closing.is_set():
            connection.sendall(data)
        return False

    return Step(act)


@contextmanager
def black_hole() -> Iterator[int]:
    """Yield a port of this machine that gives no word to who connects: the queue of those that wait to be accepted is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            knock = stack.enter_context(socket.socket())
            knock.setblocking(False)
            knock.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def nobody() -> int:
    """Return a port of this machine where nobody listens, nor will anybody while the tests run."""
    return int(_TAKEN.getsockname()[1])


def by_request(make: Callable[[Received], Step]) -> Step:
    """Let the request decide."""

    def act(peer: Peer, connection: socket.socket, request: Received | None) -> bool:
        assert request is not None
        return make(request).act(peer, connection, request)

    return Step(act)


class Peer:
    """
    Does one step a request; when they are used up, *otherwise*.

    Attributes:
        url: Where it listens.
        requests: What came.
        connections: How many connections were made.
    """

    def __init__(self, *steps: Step, otherwise: Step | None = None, context: ssl.SSLContext | None = None) -> None:
        self.steps = list(steps)
        self.otherwise = otherwise or refuse(500, "the script is used up")
        self.requests: list[Received] = []
        self.connections = 0
        self.closing = threading.Event()
        self._context = context
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://{'localhost' if context else '127.0.0.1'}:{self.port}"
        self._start(self._accept)

    def close(self) -> None:
        """End everything."""
        self.closing.set()
        # wakes accept; closing alone does not, on Linux
        with socket.socket() as knock:
            knock.connect_ex(("127.0.0.1", self.port))
        self._listener.close()
        self.hang_up_all()
        for thread in list(self._threads):
            thread.join(SOON)

    def hang_up_all(self) -> None:
        """Close all connections that are open, as a server does with idle ones."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it is gone already

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, name="wire-peer", daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self.closing.is_set():
                connection.close()
                return
            with self._lock:
                number, self.connections = self.connections, self.connections + 1
                self._open.add(connection)
            self._start(self._serve, connection, number)

    def _serve(self, connection: socket.socket, number: int) -> None:
        plain = connection
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with self._lock:
                early = self.steps.pop(0) if self.steps and self.steps[0].on_connect else None
            if early is not None:
                early.act(self, connection, None)
                return
            with connection.makefile("rb") as stream:
                while (request := _read(stream, number)) is not None:
                    with self._lock:
                        self.requests.append(request)
                        step = self.steps.pop(0) if self.steps else self.otherwise
                    if not step.act(self, connection, request):
                        return
        except OSError:
            return  # the client hung up, which it may
        finally:
            with self._lock:
                self._open.discard(plain)
            connection.close()
            plain.close()


def _read(stream: Any, number: int) -> Received | None:
    line = stream.readline()
    if not line.strip():
        return None
    method, target, *rest = [*line.decode("latin-1").split(" ", 2), "", ""]
    if not rest[0].startswith("HTTP/"):  # a TLS greeting, say
        return Received("?", "", {}, line, number)
    headers = {}
    while (header := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Received(method, target, headers, body, number)


class Tree:
    """
    A step that answers as a server would that holds these objects, for tests of what is sent: ``Peer(otherwise=Tree().step)``.

    Attributes:
        objects: Path → metadata.
        caller: What ``q=this`` answers.
    """

    def __init__(self, caller: str = "mara/user", **objects: Any) -> None:
        self.caller = caller
        self.objects: dict[str, dict[str, Any]] = {
            "mara": {"name": "mara", "email": "m@x.org"},
            "mara/user": {"name": "user", "apikey": "key-of-user"},
            **objects,
        }
        self.step = by_request(self._answer)

    def _answer(self, request: Received) -> Step:
        path = request.path.partition("/api/v1")[2]
        if path == "/":
            return answer(self.caller)
        if path.endswith("/data"):
            if request.method != "GET":
                return answer("ok")
            return answer("0" if request.parameters.get("q") == "length" else [])
        name = path.removeprefix("/crud/")
        if request.method == "POST":
            self.objects[name] = {"name": name.rpartition("/")[2], **request.json}
        if name not in self.objects:
            return refuse(404 if request.method == "GET" else 403, "Can't access this resource.")
        if request.method == "PUT":
            self.objects[name].update(request.json)
        if request.method == "DELETE":
            del self.objects[name]
            return answer("ok")
        return answer(self.objects[name])
