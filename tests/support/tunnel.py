"""
A websocket that passes through a proxy, byte by byte: cut after any of them, silenced, held up, or with other messages in it.

What goes up is bytes. What comes down is taken apart into the answer to the handshake and whole messages, so that one can be left
out or another be put in between; a cut counts bytes all the same.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from connectordb.protocol.features import HEADER

from .fault_proxy import without

_CHUNK = 64 * 1024

#: Seconds after which whoever holds a direction up is taken to have forgotten it.
_FORGOTTEN = 30.0

#: Given a message as it comes down, with its frames' heads, returns what is passed on instead.
Change = Callable[[bytes], Iterable[bytes]]

#: Has the other end see an RST, not a FIN.
_AT_ONCE = struct.pack("ii", 1, 0)

_CONTINUATION, _TEXT, _CONTROL = 0, 1, 8


class Pipe:
    """
    One direction.

    Args:
        source: Where the bytes come from.
        sink: Where they go.
        cut: Ends both directions.
    """

    def __init__(self, source: socket.socket, sink: socket.socket, cut: Callable[[], None]) -> None:
        self._source = source
        self._sink = sink
        self._cut = cut
        self._changed = threading.Condition()
        # guarded by it
        self._left: int | None = None
        self._silent = False
        self._held = False
        self._over = False
        self._changes: list[Change] = []
        #: Bytes that were passed on.
        self.passed = 0

    def cut_after(self, number: int | None) -> None:
        """Break the connection when so many more bytes were passed on; ``None``: do not."""
        with self._changed:
            self._left = number

    def silence(self) -> None:
        """Pass nothing on any more, and say nothing of it."""
        with self._changed:
            self._silent = True

    def hold(self, held: bool) -> None:
        """Read nothing more, and pass nothing on, until this is called with ``False``."""
        with self._changed:
            self._held = held
            self._changed.notify_all()

    def change(self, *changes: Change) -> None:
        """Have something done to the next messages that come down, one each."""
        with self._changed:
            self._changes += changes

    def calm(self) -> None:
        """Forget what was to happen; what is silent stays so, as bytes are missing."""
        with self._changed:
            self._left, self._changes, self._held = None, [], False
            self._changed.notify_all()

    def end(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def received(self) -> bytes:
        """Return what has come; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._over, _FORGOTTEN)
        try:
            return self._source.recv(_CHUNK)
        except OSError:
            return b""

    def changed(self, message: bytes) -> list[bytes]:
        """Return what is to be passed on for a message."""
        with self._changed:
            change = self._changes.pop(0) if self._changes else None
        return [message] if change is None else list(change(message))

    def send(self, data: bytes) -> bool:
        """Pass bytes on, as far as that is to be; tell whether the connection is still whole."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._over, _FORGOTTEN)
            if self._silent:
                return True
            left = self._left
            if left is not None:
                self._left = left - len(data)
        cut = left is not None and len(data) >= left
        if cut:
            data = data[:left]
        try:
            self._sink.sendall(data)
        except OSError:
            cut = True
        self.passed += len(data)
        if cut:
            self._cut()
        return not cut


class Tunnel:
    """
    See the module.

    Args:
        client: The client's connection.
        upstream: That to the server.
        announces: Whether what the server can do beyond 0.3 is passed on.
        on_open: Called when the handshake has been answered.

    Attributes:
        up: What the client sends.
        down: What the server sends.
        ended: Set when it is over.
        resets: Whether a cut is seen as an RST.
        last: The message that came down last.
    """

    def __init__(
        self,
        client: socket.socket,
        upstream: socket.socket,
        announces: bool = True,
        on_open: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._upstream = upstream
        self._announces = announces
        self._on_open = on_open
        self.up = Pipe(client, upstream, self.cut)
        self.down = Pipe(upstream, client, self.cut)
        self.ended = threading.Event()
        self.resets = False
        self.last = b""

    def run(self, request: bytes) -> None:
        """Pass the handshake on, and all that follows, until one of the ends closes."""
        for connection in (self._client, self._upstream):
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        climbing = threading.Thread(target=self._climb, args=(request,), name="tunnel-up", daemon=True)
        climbing.start()
        try:
            self._descend()
        finally:
            self.cut()
            climbing.join(_FORGOTTEN)
            self._upstream.close()
            self._client.close()
            self.ended.set()

    def cut(self) -> None:
        """Break it, at once."""
        for connection in (self._client, self._upstream):
            with suppress(OSError):
                if self.resets:  # its last owner closes it, and that is when the RST goes out
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                    connection.shutdown(socket.SHUT_RD)
                else:
                    connection.shutdown(socket.SHUT_RDWR)
        self.up.end()
        self.down.end()

    def calm(self) -> None:
        """Forget what was to happen."""
        self.up.calm()
        self.down.calm()

    def _climb(self, request: bytes) -> None:
        data = request
        while data and self.up.send(data):
            data = self.up.received()
        self.cut()

    def _descend(self) -> None:
        head, rest = self._handshake()
        if not self.down.send(head if self._announces else without(HEADER, head)) or not head:
            return
        self._on_open()
        for message in messages(self.down.received, rest):
            self.last = message
            if not all(self.down.send(piece) for piece in self.down.changed(message)):
                return

    def _handshake(self) -> tuple[bytes, bytes]:
        """Return the server's answer, and what came behind it."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.down.received()
            if not more:
                return data, b""
            data += more
        end = data.index(b"\r\n\r\n") + 4
        return data[:end], data[end:]


def messages(more: Callable[[], bytes], data: bytes = b"") -> Iterator[bytes]:
    """
    Take apart what a server sends.

    Args:
        more: Returns what has come, and nothing at the end.
        data: What has come already.

    Yields:
        The bytes of whole messages, all of their frames; and of control frames.
    """
    parts = b""
    while True:
        size = _size(data)
        if size is None or len(data) < size:
            came = more()
            if not came:
                return
            data += came
            continue
        frame, data = data[:size], data[size:]
        if frame[0] & 0x0F >= _CONTROL:
            yield frame
            continue
        parts += frame
        if frame[0] & 0x80:
            yield parts
            parts = b""


def _size(data: bytes) -> int | None:
    """Return the length of the frame that begins here, if enough of it is here to say."""
    if len(data) < 2:
        return None
    length = data[1] & 0x7F
    if length < 126:
        return 2 + length
    form = ">H" if length == 126 else ">Q"
    head = 2 + struct.calcsize(form)
    return None if len(data) < head else head + int(struct.unpack_from(form, data, 2)[0])


def is_text(message: bytes) -> bool:
    """Tell whether a message is one with text in it, and no control frame."""
    return message[0] & 0x0F in (_CONTINUATION, _TEXT)
