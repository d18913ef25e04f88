"""
urllib3's connections, changed so that no wait is longer than what is left of the request's time.

urllib3's timeouts are for each wait: a server that sends one byte before each of them is over could hold a caller for ever. Here the
socket's timeout is set before each wait. Reading goes through `_Incoming`, writing through `Plain.send`, looking up the name and
connecting through the room ``network``; a TLS handshake has its socket's timeout as a whole.
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

#: The most bytes of one write: about what a socket's buffer takes at once, so that the time is checked in between.
_CHUNK = 256 * 1024

#: The most bytes of a body that is sent together with the head, which costs a copy and saves a packet.
_TOGETHER = 64 * 1024

#: The size of the buffer for reading; larger reads bypass it.
_AHEAD = 16 * 1024


class Wire:
    """
    The state that a `Line` and its connection share. One thread at a time uses it, apart from `abort`.

    Attributes:
        allowance: The time that the present request may take.
        socket: The open socket; ``None`` if there is none.
        is_fresh: Whether the connection was made for the present request.
        is_spoiled: Whether more came than belongs to the answer; the connection cannot be used again.
        is_ended: Whether the other side has closed its end.
        is_aborted: Whether everything has to end, and nothing may begin.
        socks: The SOCKS proxy that leads to the server, if there is one; urllib3 deals with other proxies.
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
        Note the open socket, for `abort` to find.

        Raises:
            InterruptedError: `abort` was called before there was a socket.
        """
        self.socket = held
        if self.is_aborted:
            held.close()
            raise InterruptedError("closed")

    def close(self) -> None:
        """Close the open socket, even if an interrupted request still has it."""
        held, self.socket = self.socket, None
        if held is not None:
            held.close()

    def abort(self) -> None:
        """End whatever waits for the socket; may be called by another thread."""
        self.is_aborted = True
        held = self.socket
        if held is not None:
            try:
                # not the TLS socket's own method, which would change state that its thread is using
                socket.socket.shutdown(getattr(held, "socket", held), socket.SHUT_RDWR)
            except OSError:
                pass  # it was closed meanwhile


class Plain(HTTPConnection):
    """A connection whose waits are limited."""

    def __init__(self, wire: Wire, *arguments: Any, **options: Any) -> None:
        self._wire = wire
        #: The head of a request, held back to be sent with its body; ``b""`` before there is one, ``None`` if nothing is held back.
        self._head: bytes | None = None
        super().__init__(*arguments, **options)
        self.response_class = functools.partial(_response, wire)  # type: ignore[assignment]

    def connect(self) -> None:
        """Make the connection, all of it within the time for connecting."""
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
        """Send a request, the head together with the body if that is small."""
        if self.sock is None:
            self.connect()  # before there is a head, which contains credentials that a traceback might show
        self._head = b""
        try:
            super().request(*arguments, **options)
            if self._head:
                self._send_on(b"")
        finally:
            self._head = None
        self._wire.allowance.trace.complete = True

    def send(self, data: Any) -> None:
        """Send bytes, waiting no longer than is allowed; the head of a request is held back until the next call."""
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
        from ...network import dial, look_up  # imported here to keep `import connectordb` fast

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
            # the TLS handshake wraps the socket before we see it again, so `abort` gets a duplicate
            wire.opened(connected.dup() if isinstance(self, HTTPSConnection) else connected)
        except BaseException:
            connected.close()
            raise
        return connected

    def _pass_socks(self, proxy: Proxy, host: str, stopped: Callable[[], bool]) -> socket.socket:
        from ...network import dial_proxy, pass_socks  # few connections need it

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
        """Ask a proxy to make the connection; urllib3 calls this from `connect`."""
        allowance = self._wire.allowance
        allowance.trace.phase = "connect"
        super()._tunnel()
        self.sock.settimeout(allowance.to_connect("tls"))


class Secure(Plain, HTTPSConnection):
    """The same over TLS."""


def _response(wire: Wire, sock: socket.socket, *arguments: Any, **options: Any) -> http.client.HTTPResponse:
    return http.client.HTTPResponse(_Readable(wire, sock), *arguments, **options)  # type: ignore[arg-type]


class _Readable:
    """Stands in for the socket of an `http.client.HTTPResponse`, which only calls `makefile`."""

    def __init__(self, wire: Wire, sock: socket.socket) -> None:
        self._wire = wire
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a file of what is received."""
        return _Ahead(_Incoming(self._wire, self._sock), _AHEAD)


class _Incoming(io.RawIOBase):
    """Reads from the socket, waiting no longer than is allowed."""

    def __init__(self, wire: Wire, sock: socket.socket) -> None:
        self._wire = wire
        self._sock = sock
        self._file: io.RawIOBase = sock.makefile("rb", buffering=0)
        self.is_over = False

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, room: Any) -> int | None:
        """Read what is there, or wait for it."""
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
        """Close the file, which releases the socket."""
        if not self.closed:
            self._file.close()
        super().close()


class _Ahead(io.BufferedReader):
    """The buffer between an answer and the socket; at the end of the answer it should be empty."""

    raw: _Incoming

    def close(self) -> None:
        """Check whether more came than belongs to the answer."""
        if not self.closed:
            self.raw.is_over = True
            if self.peek(1):
                self.raw._wire.is_spoiled = True
        super().close()
