"""What proxies on a real socket have in common: they listen, serve each client on a thread, and lead bytes both ways."""

from __future__ import annotations

import select
import socket
import ssl
import threading

from .case import SOON


class LeadingProxy:
    """
    Listens on a free port of the loopback, until it is closed.

    Attributes:
        asked: What clients asked for.
        port: Where it listens.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
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

    def _serve(self, held: socket.socket) -> None:
        """Speak with a client, to the end."""
        raise NotImplementedError

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                held, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(held,), daemon=True)
            self._threads.append(thread)
            thread.start()

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
