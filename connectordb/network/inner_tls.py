"""
TLS within TLS: with a server, past a proxy that is itself spoken to over TLS.

It is used as an `ssl.SSLSocket` is, blocking or not, as far as a connection needs that.
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
    The inner connection; what it does not say, the outer one does: its descriptor, its timeout.

    Args:
        outer: The connection to the proxy, which leads to the server.
        context: How TLS is spoken with the server.
        host: The server's name.
    """

    def __init__(self, outer: ssl.SSLSocket, context: ssl.SSLContext, host: str) -> None:
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        #: What is encrypted, and waits for the network.
        self._unsent = b""
        #: Bytes that were encrypted, of which nobody has been told yet.
        self._taken = 0

    def do_handshake(self) -> None:
        """Shake hands."""
        self._fed(self._tls.do_handshake)
        self._flush()

    def recv(self, number: int) -> bytes:
        """Return what comes; nothing at the end."""
        room = bytearray(number)
        return bytes(room[: self.recv_into(room)])

    def recv_into(self, room: Any) -> int:
        """Read what comes, and return how many bytes that is; none at the end."""
        try:
            number: int = self._fed(lambda: self._tls.read(len(room), room))  # type: ignore[assignment]  # into the room
            return number
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return 0

    def send(self, data: Any) -> int:
        """
        Send what is taken, and return how many bytes that is.

        Raises:
            ssl.SSLWantWriteError: The network takes no more now; to be called again with the same bytes, and others after them.
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
        """Take a step that may need what has not come yet."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                with contextlib.suppress(ssl.SSLWantWriteError):  # it waits for the next time
                    self._flush()
                came = self._outer.recv(_CHUNK)
                if came:
                    self._incoming.write(came)
                else:
                    self._incoming.write_eof()

    def _flush(self) -> None:
        """Send what is encrypted."""
        self._unsent += self._outgoing.read()
        while self._unsent:
            self._unsent = self._unsent[self._outer.send(self._unsent) :]
