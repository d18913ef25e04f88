"""
A TCP proxy that records what a client sends: HTTP requests and websocket messages, each as the bytes that came.

It takes nothing away and adds nothing, but it can be told to be away, as a server that was killed is.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field

#: Seconds after which a connection on which nothing passes is given up.
_PATIENCE = 150.0


@dataclass(frozen=True)
class Sent:
    """
    One request, or one websocket message.

    Attributes:
        step: What the client was doing.
        head: Request line and headers; of a websocket message what kind it is.
        body: What followed; of a websocket message its unmasked content.
    """

    step: str
    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        """The request line without the version, or the kind of the message."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1").removesuffix(" HTTP/1.1")

    @property
    def headers(self) -> dict[str, str]:
        """The headers, their names in lower case."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}


@dataclass
class _Stream:
    """The bytes of one connection that have not been taken apart yet."""

    step: str = ""
    waiting: bytearray = field(default_factory=bytearray)
    websocket: bool = False


class Recorder:
    """
    Passes on what clients and a server say to each other.

    Attributes:
        url: Where clients connect.
        target: Where the server listens.
        step: What the client is doing, which requests that begin now are noted with.
        sent: What came, in order.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.step = ""
        self.sent: list[Sent] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._away = False
        self._listener = self._listen(0)
        self._port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    def away(self) -> None:
        """Refuse new connections, and break those there are."""
        self._away = True
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self._port), 5).close()  # wakes accept
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def back(self) -> None:
        """Be there again, at the same address."""
        self._away = False
        self._listener = self._listen(self._port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), name="recorder", daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                if self._away:
                    client.close()
                    return
                server = socket.create_connection(self.target, 10)
            except OSError:
                return  # closed
            for connection in (client, server):
                connection.settimeout(_PATIENCE)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open |= {client, server}
            stream = _Stream()
            for source, goal, noted in ((client, server, stream), (server, client, None)):
                threading.Thread(target=self._pump, args=(source, goal, noted), name="recorder-c", daemon=True).start()

    def _pump(self, source: socket.socket, goal: socket.socket, stream: _Stream | None) -> None:
        try:
            while data := source.recv(65536):
                if stream is not None:
                    self._note(stream, data)
                goal.sendall(data)
        except OSError:
            pass  # one of the two hung up; the other is told by closing
        finally:
            with self._lock:
                self._open -= {source, goal}
            for connection in (source, goal):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()

    # --- taking apart ---

    def _note(self, stream: _Stream, data: bytes) -> None:
        if not stream.waiting:
            stream.step = self.step
        stream.waiting += data
        while (found := _frame(stream.waiting) if stream.websocket else _request(stream.waiting)) is not None:
            head, body, size = found
            del stream.waiting[:size]
            with self._lock:
                self.sent.append(Sent(stream.step, head, body))
            stream.websocket = stream.websocket or b"\r\nupgrade: websocket" in head.lower()


def _request(data: bytearray) -> tuple[bytes, bytes, int] | None:
    """Return the head and the body of the request that *data* begins with, and its size, if it is all there."""
    head, found, rest = bytes(data).partition(b"\r\n\r\n")
    if not found:
        return None
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return (head, rest[:length], len(head) + 4 + length) if len(rest) >= length else None


_KINDS = {1: b"TEXT", 2: b"BINARY", 8: b"CLOSE", 9: b"PING", 10: b"PONG"}


def _frame(data: bytearray) -> tuple[bytes, bytes, int] | None:
    """Return the kind and the content of the frame that *data* begins with, and its size, if it is all there."""
    if len(data) < 2:
        return None
    length, at = data[1] & 127, 2
    if length > 125:
        at = 4 if length == 126 else 10
        if len(data) < at:
            return None
        length = int.from_bytes(data[2:at], "big")
    if not data[1] & 128:
        raise ValueError("the client sent a frame without a mask")
    mask, size = data[at : at + 4], at + 4 + length
    if len(data) < size:
        return None
    content = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data[at + 4 : size]))
    return _KINDS.get(data[0] & 15, b"FRAME"), content, size
