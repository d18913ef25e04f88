"""TLS within TLS, as a socket that blocks and as one that does not."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from pathlib import Path

from connectordb.network import Proxy, Trust, open_way
from connectordb.network.inner_tls import InnerTLS
from tests.support.case import SOON, Case
from tests.support.connect_proxy import ConnectProxy

CERTIFICATE = str(Path(__file__).parent.parent / "support" / "localhost.pem")


class Inner(Case):
    """Past a proxy that speaks TLS, to a server that does."""

    def setUp(self) -> None:
        super().setUp()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self.context = context
        self.proxy = ConnectProxy(context)
        self.addCleanup(self.proxy.close)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)

    def opened(self) -> tuple[InnerTLS, ssl.SSLSocket]:
        """Return both ends of a connection."""
        accepted: list[ssl.SSLSocket] = []

        def accept() -> None:
            held, _ = self.listener.accept()
            held.settimeout(SOON)
            accepted.append(self.context.wrap_socket(held, server_side=True))

        thread = threading.Thread(target=accept)
        thread.start()
        url, proxy = f"https://localhost:{self.listener.getsockname()[1]}", Proxy(self.proxy.url, "proxies=")
        ours = open_way(url, proxy, Trust(CERTIFICATE), lambda: SOON)
        self.addCleanup(ours.close)
        thread.join(SOON)
        self.addCleanup(accepted[0].close)
        assert isinstance(ours, InnerTLS)
        return ours, accepted[0]

    def test_blocking(self) -> None:
        """A few words and their answer, and the end."""
        ours, theirs = self.opened()
        self.assertEqual(ours.send(b"hello"), 5)
        self.assertEqual(theirs.recv(100), b"hello")
        theirs.sendall(b"well")
        self.assertEqual((ours.recv(2), ours.pending() > 0, ours.recv(100)), (b"we", True, b"ll"))
        theirs.close()
        self.assertEqual(ours.recv(100), b"")

    def test_in_time(self) -> None:
        """A wait ends when the socket's time is over."""
        ours, _ = self.opened()
        ours.settimeout(0.05)
        with self.assertRaises(TimeoutError):
            ours.recv(1)

    def test_without_blocking(self) -> None:
        """Megabytes there and back, through a network that takes little at a time; none is lost, doubled or out of order."""
        ours, theirs = self.opened()
        data, back = bytes(range(256)) * 8192, bytearray()

        def echo() -> None:
            came = b""
            while len(came) < len(data):
                came += theirs.recv(65536)
            theirs.sendall(came)

        thread = threading.Thread(target=echo)
        thread.start()
        ours.setblocking(False)
        room, sent = memoryview(bytearray(65536)), 0
        while len(back) < len(data):
            waiting = [] if ours.pending() else [ours]
            ready = select.select(waiting, [ours] if sent < len(data) else [], [], SOON if waiting else 0)
            self.assertTrue(not waiting or any(ready), "neither to read nor to write")
            if sent < len(data):
                with contextlib.suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    sent += ours.send(data[sent : sent + 65536])
            with contextlib.suppress(ssl.SSLWantReadError):
                while number := ours.recv_into(room):
                    back += room[:number]
        self.assertEqual(bytes(back), data)
        ours.close()
        thread.join(SOON)

    def test_another_name(self) -> None:
        """The certificate of the server is looked at, by its own name."""
        threading.Thread(target=self._refuse, daemon=True).start()
        with socket.create_connection(("127.0.0.1", self.proxy.port)) as held:
            trust = Trust(CERTIFICATE)
            with trust.context.wrap_socket(held, server_hostname="localhost") as outer:
                port = self.listener.getsockname()[1]
                outer.sendall(f"CONNECT x:{port} HTTP/1.1\r\n\r\n".encode())
                self.assertIn(b"200", outer.recv(1000))
                with self.assertRaises(ssl.SSLCertVerificationError):
                    InnerTLS(outer, trust.context, "db.example").do_handshake()

    def _refuse(self) -> None:
        with contextlib.suppress(OSError):
            held, _ = self.listener.accept()
            with held, self.context.wrap_socket(held, server_side=True):
                pass
