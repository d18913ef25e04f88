"""Clients that begin and do not go on, or byte by byte: the server must get rid of each in time, and serve all others."""

from __future__ import annotations

import itertools
import socket
import time

from .catalogue import KEYS
from .making import with_key
from .talking import Wrong

#: Seconds that the server is configured to wait for headers and bodies, and for a connection that says nothing.
PATIENCE = 2.0

#: Seconds within which it must have hung up.
_DEADLINE = 15.0

_BEGINNINGS = (
    b"",
    b"G",
    b"GET /api/v1/?q=this HTTP/1.1\r\nHost: x\r\n",
    b"GET /api/v1/?q=this HTTP/1.1\r\nX: ",
    b"POST /api/v1/crud/fa/plain/object/data HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: 100\r\n\r\n["
    % with_key(KEYS[0]),
    b"PUT /api/v1/crud/fa/plain/object/data HTTP/1.1\r\nHost: x\r\n%s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n["
    % with_key(KEYS[0]),
    b"POST /api/v1/crud/x HTTP/1.1\r\nHost: x\r\n%s\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n"
    % with_key(KEYS[0]),
    b"GET /api/v1/?q=this HTTP/1.1\r\nHost: x\r\n\r\nGET /api",
)


class Stalled:
    """Connections on which the client says no more."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._open: list[tuple[socket.socket, float, bytes, bool]] = []
        self.number = 0

    def begin(self) -> None:
        """Open two of each kind: one says no more, the other a byte now and then."""
        for beginning, drips in itertools.product(_BEGINNINGS, (False, True)):
            connection = socket.create_connection(self._address, 10)
            connection.sendall(beginning)
            connection.setblocking(False)
            self._open.append((connection, time.monotonic() + _DEADLINE, beginning, drips))
            self.number += 1

    def look(self) -> None:
        """Let those go that the server has hung up on; raise `Wrong` if it has not in time."""
        still = []
        for connection, deadline, beginning, drips in self._open:
            if _is_closed(connection, drips):
                connection.close()
            elif time.monotonic() > deadline:
                connection.close()
                raise Wrong(f"after {_DEADLINE:g} s the server still waits for the rest of {beginning!r}")
            else:
                still.append((connection, deadline, beginning, drips))
        self._open = still

    def end(self) -> None:
        """Wait until all are gone."""
        while self._open:
            self.look()
            time.sleep(0.2)


def _is_closed(connection: socket.socket, drips: bool) -> bool:
    try:
        if drips:
            connection.send(b"x")
        while connection.recv(65536):
            pass  # an answer, before it hangs up
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True
