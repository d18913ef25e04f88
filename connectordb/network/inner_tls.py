"""
TLS within TLS: with a server, through a proxy that is itself reached over TLS.

It can be used like an `ssl.SSLSocket`, blocking or not, as far as a connection needs one.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

#: Bytes of one read from the outer connection, and of one record on the inner.
_CHUNK = 16 * 1024


class InnerTLS:
    """
    The inner connection. What is not defined here, such as the descriptor and the timeout, is that of the outer connection.

    Args:
        outer: The connection to the proxy, which passes everything on to the server.
        context: The TLS context for the server.
        host: The server's name.
    """

    def __init__(self, outer: ssl.SSLSocket, context: ssl.SSLContext, host: str) -> None:
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        #: Encrypted bytes that wait for the network.
        self._unsent = b""
        #: How many bytes of the caller's were encrypted, but not reported as sent yet.
        self._taken = 0

    def do_handshake(self) -> None:
        """Shake hands."""
        self._fed(self._tls.do_handshake)
        self._flush()

    def recv(self, number: int) -> bytes:
        """Return what has come; ``b""`` at the end."""
        room = bytearray(number)
        return bytes(room[: self.recv_into(room)])

    def recv_into(self, room: Any) -> int:
        """Read what has come into *room*, and return how many bytes that is; 0 at the end."""
        try:
            number: int = self._fed(lambda: self._tls.read(len(room), room))  # type: ignore[assignment]  # into the room
            return number
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return 0

    def send(self, data: Any) -> int:
        """
        Send some of *data*, and return how many bytes were sent.

        Raises:
            ssl.SSLWantWriteError: The network takes no more now; call this again with the same bytes, possibly followed by others.
        """
        if not self._taken:
            with memoryview(data) as view:
                self._taken = self._fed(lambda: self._tls.write(view[:_CHUNK]))
        self._flush()
        taken, self._taken = self._taken, 0
        return taken

    def pending(self) -> int:
        """Return how many bytes have come that selecting does not show."""
        return self._tls.pending() or self._incoming.pending or self._outer.pending()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outer, name)

    def _fed(self, step: Callable[[], T]) -> T:
        """Run *step*, which may need bytes from the network, and feed it with them."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                with contextlib.suppress(ssl.SSLWantWriteError):  # the rest is sent next time
                    self._flush()
                came = self._outer.recv(_CHUNK)
                if came:
                    self._incoming.write(came)
                else:
                    self._incoming.write_eof()

    def _flush(self) -> None:
        """Send the encrypted bytes that wait."""
        self._unsent += self._outgoing.read()
        while self._unsent:
            self._unsent = self._unsent[self._outer.send(self._unsent) :]
