"""
One connection, as urllib3 makes and uses them, but that no wait of it is longer than its request allows.

urllib3's timeouts are per wait: who sends a byte before each of them is over holds a caller for ever. Here the socket is given what is
left before each wait. What is read passes through `_Incoming`, what is written through `send`, the name and the connect through
the room ``network``, and a TLS handshake takes its socket's timeout as a whole.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from ...runtime.unshown import UnshownBytes
from .allowance import Allowance

if TYPE_CHECKING:
    from ...network import Proxy

#: Bytes of one write: what a socket's buffer takes at once, so that time is looked at in between.
_CHUNK = 256 * 1024

#: Bytes of a body that is sent together with the head: it costs a copy and saves a packet.
_TOGETHER = 64 * 1024

#: Bytes that are read ahead. Larger answers go by the buffer.
_AHEAD = 16 * 1024


class Wire:
    """
    What a connection and who uses it share; one thread uses it at a time, but for `abort`.

    Attributes:
        allowance: The time that the present request has.
        socket: What is open; ``None`` if nothing is.
        is_fresh: The connection was made for the present request.
        is_spoiled: More came than the answer has: what is read next would be no answer to what was asked.
        is_ended: The other side has said that no more comes.
        is_aborted: It is to end, and nothing new to begin.
        socks: The SOCKS proxy that leads to the server, if one does; other proxies urllib3 knows by itself.
    """

    def __init__(self) -> None:
        self.allowance: Allowance
        self.socket: socket.socket | None = None
        self.is_fresh = False
        self.is_spoiled = False
        self.is_ended = False
        self.is_aborted = False
        self.socks: Proxy | None = None

    def begin(self, allowance: Allowance) -> None:
        """Begin a request."""
        self.allowance = allowance
        self.is_fresh = self.is_spoiled = self.is_ended = False

    def opened(self, held: socket.socket) -> None:
        """
        Note what is open now, for `abort` to find.

        Raises:
            InterruptedError: It was to end, and what did that found nothing yet.
        """
        self.socket = held
        if self.is_aborted:
            held.close()
            raise InterruptedError("closed")

    def close(self) -> None:
        """Close what is open, also where a request was interrupted that held it."""
        held, self.socket = self.socket, None
        if held is not None:
            held.close()

    def abort(self) -> None:
        """Have whatever waits end; may be called by another thread."""
        self.is_aborted = True
        held = self.socket
        if held is not None:
            try:
                # not the TLS socket's own method: that would touch what its thread is using
                socket.socket.shutdown(getattr(held, "socket", held), socket.SHUT_RDWR)
            except OSError:
                pass  # it was closed meanwhile


class Plain(HTTPConnection):
    """A connection whose waits are bounded."""

    def __init__(self, wire: Wire, *arguments: Any, **options: Any) -> None:
        self._wire = wire
        #: The request's head while it waits for the body that it is sent with; ``None`` if none is to wait.
        self._head: bytes | None = None
        super().__init__(*arguments, **options)
        self.response_class = functools.partial(_response, wire)  # type: ignore[assignment]

    def connect(self) -> None:
        """Make the connection, all of it within the time for that."""
        wire = self._wire
        wire.is_fresh = True
        allowance = wire.allowance
        allowance.begin_connecting()
        super().connect()
        before = wire.socket
        wire.opened(self.sock)
        if before is not None and before is not self.sock:
            before.close()
        allowance.connecting = None

    def close(self) -> None:
        """Close it."""
        self._wire.close()
        super().close()

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send a request: its head with the body, or with its beginning."""
        if self.sock is None:
            self.connect()  # before there is a head, which tracebacks would show
        self._head = b""
        try:
            super().request(*arguments, **options)
            if self._head:
                self._send_on(b"")
        finally:
            self._head = None
        self._wire.allowance.trace.complete = True

    def send(self, data: Any) -> None:
        """Send bytes, waiting no longer than is allowed; the head of a request waits for what comes next."""
        if self._head is None:
            self._write(data)
        elif self._head:
            self._send_on(data)
        else:
            self._head = data

    def _send_on(self, data: bytes) -> None:
        head, self._head = UnshownBytes(self._head or b""), None
        if len(data) <= _TOGETHER:
            self._write(UnshownBytes(head + data))
        else:
            self._write(head)
            self._write(data)

    def _write(self, data: bytes) -> None:
        allowance, begun = self._wire.allowance, 0
        with memoryview(data) as view:
            while begun < len(data):
                self.sock.settimeout(allowance.to_write())
                sent = self.sock.send(view[begun : begun + _CHUNK])
                begun += sent
                allowance.wrote(sent)

    def _new_conn(self) -> socket.socket:
        """Return a connected socket; urllib3 calls this from `connect`."""
        from ...network import dial, look_up  # loaded with the first connection, not with the package

        allowance, wire = self._wire.allowance, self._wire
        host = getattr(self, "_dns_host", self.host).strip("[]")

        def stopped() -> bool:
            return wire.is_aborted

        try:
            if wire.socks is not None:
                connected = self._pass_socks(wire.socks, host, stopped)
            else:
                found = look_up(host, self.port, allowance.to_connect("resolve"), stopped)
                connected = dial(found, allowance.to_connect("connect"), self.socket_options or (), stopped)
            connected.settimeout(allowance.to_connect("tls" if isinstance(self, HTTPSConnection) else "connect"))
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"no connection: {error}") from error
        try:
            # TLS takes the socket out of our hands until it has shaken hands, so `abort` gets one of its own
            wire.opened(connected.dup() if isinstance(self, HTTPSConnection) else connected)
        except BaseException:
            connected.close()
            raise
        return connected

    def _pass_socks(self, proxy: Proxy, host: str, stopped: Callable[[], bool]) -> socket.socket:
        from ...network import dial_proxy, pass_socks  # few go by one

        def seconds() -> float:
            return self._wire.allowance.to_connect("connect")

        held, target = dial_proxy(proxy, host, self.port, seconds, stopped)
        self._wire.opened(held)
        try:
            pass_socks(held, proxy, target, self.port, seconds)
        except BaseException:
            held.close()
            raise
        return held

    def _tunnel(self) -> None:
        """Have a proxy make the connection; urllib3 calls this from `connect`."""
        allowance = self._wire.allowance
        allowance.trace.phase = "connect"
        super()._tunnel()
        self.sock.settimeout(allowance.to_connect("tls"))


class Secure(Plain, HTTPSConnection):
    """The same over TLS."""


def _response(wire: Wire, sock: socket.socket, *arguments: Any, **options: Any) -> http.client.HTTPResponse:
    return http.client.HTTPResponse(_Readable(wire, sock), *arguments, **options)  # type: ignore[arg-type]


class _Readable:
    """What an answer is read from: it asks for a file, and for nothing else."""

    def __init__(self, wire: Wire, sock: socket.socket) -> None:
        self._wire = wire
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what has been received, as a file."""
        return _Ahead(_Incoming(self._wire, self._sock), _AHEAD)


class _Incoming(io.RawIOBase):
    """What comes in, waited for as long as is allowed."""

    def __init__(self, wire: Wire, sock: socket.socket) -> None:
        self._wire = wire
        self._sock = sock
        self._file: io.RawIOBase = sock.makefile("rb", buffering=0)
        self.is_over = False

    def readable(self) -> bool:
        """Say that it is."""
        return True

    def readinto(self, room: Any) -> int | None:
        """Read what there is."""
        if self.is_over:
            return None
        allowance = self._wire.allowance
        self._sock.settimeout(allowance.to_read())
        number = self._file.readinto(room)
        if number:
            allowance.came(number)
        elif number == 0:
            self._wire.is_ended = True
        return number

    def close(self) -> None:
        """Let go of the socket."""
        if not self.closed:
            self._file.close()
        super().close()


class _Ahead(io.BufferedReader):
    """What was read ahead; at the end of an answer, nothing should be left of it."""

    raw: _Incoming

    def close(self) -> None:
        """Look whether more has come than the answer has."""
        if not self.closed:
            self.raw.is_over = True
            if self.peek(1):
                self.raw._wire.is_spoiled = True
        super().close()
