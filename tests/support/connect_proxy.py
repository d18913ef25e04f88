"""An HTTP proxy on a real socket that opens tunnels (CONNECT), plainly or over TLS; by hand."""

from __future__ import annotations

import socket
import ssl

from .case import SOON
from .leading_proxy import LeadingProxy


class ConnectProxy(LeadingProxy):
    """
    Listens on a free port of the loopback, and leads to any port of it, whatever host is named.

    Args:
        context: With which TLS is spoken with clients; plainly, without it.

    Attributes:
        asked: The first line of each request.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        super().__init__()
        self.url = f"{'http' if context is None else 'https'}://localhost:{self.port}"

    def _serve(self, held: socket.socket) -> None:
        held.settimeout(SOON)
        try:
            with held if self._context is None else self._context.wrap_socket(held, server_side=True) as client:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += client.recv(1)
                self.asked.append(head.partition(b"\r\n")[0].decode())
                port = int(self.asked[-1].split()[1].rpartition(":")[2])
                with socket.create_connection(("127.0.0.1", port), SOON) as server:
                    client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                    self._lead(client, server)
        except OSError:
            return  # one of them hung up, which it may
