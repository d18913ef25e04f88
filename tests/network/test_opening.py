"""All of the way to a server."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from connectordb.network import Proxy, ProxyFailed, Trust, open_way
from tests.support.case import SOON, Case
from tests.support.wire import Peer, Step, answer, nobody, raw, silence

CERTIFICATE = str(Path(__file__).parent.parent / "support" / "localhost.pem")


class Opening(Case):
    """Straight, past a proxy, and over TLS."""

    def peer(self, *steps: Step, **options: Any) -> Peer:
        """Return a peer that ends with the test."""
        peer = Peer(*steps, **options)
        self.addCleanup(peer.close)
        return peer

    def tls(self, *steps: Step) -> Peer:
        """Return one that speaks TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        return self.peer(*steps, otherwise=answer("ok"), context=context)

    def opens(self, url: str, proxy: str | None = None) -> None:
        """Open a way, and say something on it."""
        chosen = None if proxy is None else Proxy(proxy, "proxies=")
        with open_way(url, chosen, Trust(CERTIFICATE), lambda: SOON) as held:
            held.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertTrue(held.recv(1000).startswith(b"HTTP/1.1 200"))

    def fails(self, url: str, proxy: str, why: str) -> None:
        """See why there is none."""
        with self.assertRaisesRegex(ProxyFailed, why):
            open_way(url, Proxy(proxy, "proxies="), Trust(CERTIFICATE), lambda: SOON)

    def test_straight(self) -> None:
        """Plainly, and over TLS."""
        self.opens(self.peer(otherwise=answer("ok")).url)
        self.opens(self.tls().url)

    def test_http_proxy(self) -> None:
        """A proxy is asked for the host and the port; what it says decides."""
        proxy = self.peer(raw(b"HTTP/1.1 200 Connected\r\nVia: x\r\n\r\n"), otherwise=answer("ok"))
        self.opens("http://bücher.example", f"http://mara:p%40ss@127.0.0.1:{proxy.port}")
        asked = proxy.requests[0]
        self.assertEqual((asked.method, asked.target), ("CONNECT", "xn--bcher-kva.example:80"))
        self.assertEqual(asked.headers["proxy-authorization"], "Basic bWFyYTpwQHNz")

    def test_secure_proxy(self) -> None:
        """A proxy may be spoken to over TLS. (A server behind it too: ``test_inner_tls.py``.)"""
        proxy = self.tls(raw(b"HTTP/1.1 200 Connected\r\n\r\n"))
        self.opens("http://db.example", proxy.url)

    def test_refused(self) -> None:
        """What a proxy says against it is told."""
        for said, why in (
            (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "it refused: 407 Proxy Authentication Required"),
            (b"SSH-2.0\r\n\r\n", "that is no HTTP proxy"),
            (b"HTTP/1.1 200 OK\r\n\r\nmore", "more than it should"),
            (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000, "no end"),
        ):
            self.fails("http://db.example", self.peer(raw(said)).url, why)
        self.fails("http://db.example", self.peer(raw(b"HTTP/1.1 2", then_close=True)).url, "hung up")
        self.fails("http://db.example", f"http://127.0.0.1:{nobody()}", "Connection refused")

    def test_in_time(self) -> None:
        """The time is asked for before each step, and no socket is left when it is over."""
        for limit in range(4):  # the name, the connection, the word to the proxy, its answer
            left = [SOON] * limit

            def seconds(left: list[float] = left) -> float:
                if not left:
                    raise TimeoutError
                return left.pop()

            with self.assertRaises(TimeoutError):
                open_way("https://db.example", Proxy(self.peer(silence()).url, "x"), Trust(CERTIFICATE), seconds)
            self.assertEqual(left, [])
