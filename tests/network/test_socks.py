"""Past a SOCKS proxy, and what it may say against it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from pathlib import Path

from connectordb.client.http import Transport
from connectordb.client.terms.timeouts import Timeout
from connectordb.client.terms.trace import Trace
from connectordb.exceptions import ConnectionFailed, TimedOut
from connectordb.network import Trust
from tests.support.case import MS, SOON, Case
from tests.support.socks_proxy import SocksProxy
from tests.support.wire import Peer, answer, nobody

CERTIFICATE = Path(__file__).parent.parent / "support" / "localhost.pem"


class SocksCase(Case):
    """A server behind a proxy."""

    def setUp(self) -> None:
        super().setUp()
        self.server = Peer(otherwise=answer("ok"))
        self.addCleanup(self.server.close)
        self.here = ("127.0.0.1", self.server.port)

    def proxy(self, account: tuple[str, str] | None = None, refusal: int = 0) -> SocksProxy:
        """Return a proxy that ends with the test."""
        proxy = SocksProxy({"db.example": self.here}, account, refusal)
        self.addCleanup(proxy.close)
        return proxy

    def said(self, url: str, proxy: str, **options: object) -> str:
        """Return what the server answers."""
        transport = Transport(url, proxies={"all": proxy}, **options)  # type: ignore[arg-type]
        self.addCleanup(transport.close)
        return str(transport.send("GET", "/x", Trace(), parameters={"q": "this"}).text)


class Passing(SocksCase):
    """It leads there."""

    def test_by_name(self) -> None:
        """The proxy looks the name up where its scheme says so."""
        for scheme in ("socks5h", "socks4a"):
            proxy = self.proxy()
            self.assertEqual(self.said("http://db.example", f"{scheme}://127.0.0.1:{proxy.port}"), "ok")
            self.assertEqual(proxy.asked, ["db.example"])
        self.assertEqual(self.server.requests[0].target, "/api/v1/x?q=this")
        self.assertEqual(self.server.requests[0].headers["host"], "db.example")

    def test_by_address(self) -> None:
        """Otherwise we do."""
        for scheme in ("socks5", "socks4"):
            proxy = self.proxy()
            url = f"http://localhost:{self.server.port}"
            self.assertEqual(self.said(url, f"{scheme}://127.0.0.1:{proxy.port}"), "ok")
            self.assertEqual(proxy.asked, ["127.0.0.1"])

    def test_with_a_password(self) -> None:
        """The name and the password in its address are said to it."""
        proxy = self.proxy(("mara", "p@ss"))
        self.assertEqual(self.said("http://db.example", f"socks5h://mara:p%40ss@127.0.0.1:{proxy.port}"), "ok")

    def test_tls(self) -> None:
        """TLS is spoken with the server, and the certificate is that of its name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server = Peer(otherwise=answer("ok"), context=context)
        self.addCleanup(server.close)
        proxy = self.proxy()
        self.assertEqual(self.said(server.url, f"socks5://127.0.0.1:{proxy.port}", trust=Trust(str(CERTIFICATE))), "ok")


class Refusing(SocksCase):
    """It does not."""

    def refused(self, proxy: str, why: str) -> None:
        """See what is said of a proxy that gave no connection."""
        trace = Trace()
        transport = Transport("http://db.example", proxies={"all": proxy})
        self.addCleanup(transport.close)
        with self.assertRaisesRegex(
            ConnectionFailed, rf"the proxy socks\w+://127.0.0.1:\d+ \(proxies=\) gave no connection: .*{why}"
        ) as caught:
            transport.send("POST", "/x", trace, body=b"[]")
        self.assertNotIn("secret", str(caught.exception))
        self.assertEqual(trace.bytes_out, 0)

    def test_why(self) -> None:
        """What it says is told."""
        for scheme, refusal, why in (
            ("socks5h", 2, "its rules do not allow it"),
            ("socks5h", 5, "the connection was refused"),
            ("socks5h", 99, "99"),
            ("socks4a", 1, "it refused"),
        ):
            proxy = self.proxy(refusal=refusal)
            self.refused(f"{scheme}://127.0.0.1:{proxy.port}", why)

    def test_account(self) -> None:
        """A password that is missing, or wrong."""
        proxy = self.proxy(("mara", "right"))
        self.refused(f"socks5h://127.0.0.1:{proxy.port}", "wants a name and a password")
        self.refused(f"socks5h://mara:secret@127.0.0.1:{proxy.port}", "did not accept the name and the password")

    def test_unsayable(self) -> None:
        """What cannot be said to such a proxy."""
        proxy = self.proxy(("mara", "right"))
        self.refused(f"socks5h://{'m' * 256}:x@127.0.0.1:{proxy.port}", "255 bytes at most")

    def test_none(self) -> None:
        """Nobody there, or something else."""
        self.refused(f"socks5h://mara:secret@127.0.0.1:{nobody()}", "Connection refused")
        for said in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\5"):
            listener = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(listener.close)

            def speak(listener: socket.socket = listener, said: bytes = said) -> None:
                held, _ = listener.accept()
                with held:
                    held.recv(100)
                    held.sendall(said)

            thread = threading.Thread(target=speak)
            thread.start()
            self.refused(f"socks5h://127.0.0.1:{listener.getsockname()[1]}", "no SOCKS proxy|hung up")
            thread.join(SOON)

    def test_silent(self) -> None:
        """One that says nothing, or a byte at a time, is given up in time."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            transport = Transport(
                "http://db.example",
                proxies={"all": f"socks5h://127.0.0.1:{listener.getsockname()[1]}"},
                timeout=Timeout(connect=100 * MS),
            )
            self.addCleanup(transport.close)
            began = time.monotonic()
            said = r"the proxy socks5h://127.0.0.1:\d+ \(proxies=\) gave no connection within 0.1 s; does it answer, and the server"
            with self.assertRaisesRegex(TimedOut, said) as caught:
                transport.send("GET", "/", Trace())
        self.assertEqual(caught.exception.phase, "connect")
        self.assertLess(time.monotonic() - began, 2000 * MS)
