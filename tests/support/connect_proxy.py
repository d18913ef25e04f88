"""An HTTP proxy on a real socket that opens tunnels (CONNECT), plainly or over TLS; by hand."""

from __future__ import annotations

import select
import socket
import ssl
import threading

from .case import SOON


class ConnectProxy:
    """
    Listens on a free port of the loopback, and leads to any port of it, whatever host is named.

    Args:
        context: With which TLS is spoken with clients; plainly, without it.

    Attributes:
        asked: The first line of each request.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.asked: list[str] = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'http' if context is None else 'https'}://localhost:{self.port}"
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """End everything."""
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(SOON)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                held, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(held,), daemon=True)
            self._threads.append(thread)
            thread.start()

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

    def _lead(self, client: socket.socket, server: socket.socket) -> None:
        while not self._closing.is_set():
            # what TLS has decrypted already, selecting does not show
            pending = isinstance(client, ssl.SSLSocket) and client.pending()
            ready = [client] if pending else select.select([client, server], [], [], 0.02)[0]
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                (server if one is client else client).sendall(data)
