"""
A scripted websocket server on a real socket, which may misbehave in any way: the handshake and the frames by hand.

Not built on the library or the codec that it tests. A `Peer` accepts connections one after the other; the test takes each as a
`PeerConnection`, reads the commands and decides what comes back. What a well-behaved server does by itself, answering pings,
a connection does too unless it is told to be silent.
"""

from __future__ import annotations

import base64
import hashlib
import json
import queue
import socket
import ssl
import struct
import threading
from typing import Any

from .case import SOON

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def frame(opcode: int, payload: bytes = b"", final: bool = True, first_byte: int | None = None) -> bytes:
    """Return an unmasked frame, as a server sends it; *first_byte* replaces what would be right."""
    head = bytes([(0x80 if final else 0) | opcode if first_byte is None else first_byte])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 1 << 16:
        return head + b"\x7e" + struct.pack(">H", len(payload)) + payload
    return head + b"\x7f" + struct.pack(">Q", len(payload)) + payload


def message(stream: str, points: Any, transform: str = "") -> bytes:
    """Return the text of a message, as the original server writes it."""
    content: dict[str, Any] = {"stream": stream}
    if transform:
        content["transform"] = transform
    return json.dumps({**content, "data": points}).encode() + b"\n"


class PeerConnection:
    """One connection, from the server's side."""

    def __init__(
        self,
        held: socket.socket,
        request: str,
        answers_pings: bool = True,
        stored: dict[str, list[dict[str, Any]]] | None = None,
    ) -> None:
        self.socket = held
        self._stored = {} if stored is None else stored
        self.request = request
        self.commands: queue.Queue[dict[str, Any]] = queue.Queue()
        self.pings: queue.Queue[bytes] = queue.Queue()
        self.pongs: queue.Queue[bytes] = queue.Queue()
        self.closed: queue.Queue[bytes] = queue.Queue()
        self.ended = threading.Event()
        self.answers_pings = answers_pings
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        with self._lock:
            self.socket.sendall(data)

    def say(self, stream: str, points: Any, transform: str = "") -> None:
        """Store points, and send a message in one frame."""
        if not transform:
            self._stored.setdefault(stream, []).extend(points or ())
        self.send(frame(TEXT, message(stream, points, transform)))

    def command(self) -> tuple[str, str, str]:
        """Return the next command: what, path, transform."""
        told = self.commands.get(timeout=SOON)
        assert set(told) == {"cmd", "arg", "transform", "d"}, told
        return told["cmd"], told["arg"], told["transform"]

    def drop(self) -> None:
        """Cut the connection without a word."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        self._thread.join(SOON)

    def _read(self) -> None:
        try:
            while True:
                first, second = self._exactly(2)
                length = second & 0x7F
                if length == 126:
                    (length,) = struct.unpack(">H", self._exactly(2))
                elif length == 127:
                    (length,) = struct.unpack(">Q", self._exactly(8))
                assert second & 0x80, "a client's frames are masked"
                mask = self._exactly(4)
                payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self._exactly(length)))
                self._take(first & 0x0F, payload)
        except (OSError, EOFError, ValueError):
            self.ended.set()

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.pings.put(payload)
            if self.answers_pings:
                self.send(frame(PONG, payload))
        elif opcode == PONG:
            self.pongs.put(payload)
        elif opcode == CLOSE:
            self.closed.put(payload)
        else:
            self.commands.put(json.loads(payload))

    def _exactly(self, number: int) -> bytes:
        data = b""
        while len(data) < number:
            part = self.socket.recv(number - len(data))
            if not part:
                raise EOFError
            data += part
        return data


class Peer:
    """Listens on a free port of the loopback."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._context = context
        self.port = self._listener.getsockname()[1]
        scheme, host = ("http", "127.0.0.1") if context is None else ("https", "localhost")
        self.url = f"{scheme}://{host}:{self.port}"
        #: What the handshake is answered with instead of 101, one after the other.
        self.refusals: list[bytes] = []
        #: Whether the handshake is left without an answer.
        self.stalls = False
        #: Whether the connections made from now on answer pings.
        self.answers_pings = True
        #: The header by which a server that can do more than 0.3 is known; ``None`` for an original.
        self.announces: str | None = "durable"
        #: What REST would read.
        self.stored: dict[str, list[dict[str, Any]]] = {}
        self._connections: queue.Queue[PeerConnection] = queue.Queue()
        self._held: list[socket.socket] = []
        self._all: list[PeerConnection] = []
        self.accepted = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def connection(self) -> PeerConnection:
        """Return the next connection that was made."""
        return self._connections.get(timeout=SOON)

    def close(self) -> None:
        """Close all sockets."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self._thread.join(SOON)
        for connection in self._all:
            connection.drop()
        for held in self._held:
            held.close()

    def _accept(self) -> None:
        while True:
            try:
                held, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._held.append(held)
            try:
                self._greet(held)
            except (OSError, EOFError):
                held.close()

    def _greet(self, held: socket.socket) -> None:
        held.settimeout(SOON)
        if self._context is not None:
            held = self._context.wrap_socket(held, server_side=True)
            self._held.append(held)
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            part = held.recv(1)
            if not part:
                raise EOFError
            request += part
        if self.stalls:
            return
        if self.refusals:
            held.sendall(self.refusals.pop(0))
            held.close()
            return
        headers = dict(line.split(": ", 1) for line in request.decode().split("\r\n")[1:] if line)
        key = headers["Sec-WebSocket-Key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
        announced = "" if self.announces is None else f"ConnectorDB-Features: {self.announces}\r\n"
        held.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n{announced}\r\n".encode()
        )
        held.settimeout(None)
        connection = PeerConnection(held, request.decode(), self.answers_pings, self.stored)
        self._all.append(connection)
        self._connections.put(connection)
