"""TLS with a server, past a proxy that is spoken to plainly or over TLS itself."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

from connectordb.client.http import Transport
from connectordb.client.terms.timeouts import Timeout
from connectordb.client.terms.trace import Trace
from connectordb.exceptions import TimedOut
from connectordb.network import Trust
from tests.support.case import MS, SOON, Case
from tests.support.connect_proxy import ConnectProxy
from tests.support.wire import Peer, Step, answer, drip, silence

CERTIFICATE = str(Path(__file__).parent.parent / "support" / "localhost.pem")


class Proxied(Case):
    """Through a tunnel."""

    def setUp(self) -> None:
        super().setUp()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(CERTIFICATE)

    def transport(self, is_secure: bool, timeout: Timeout, *steps: Step) -> Transport:
        """Return a way to a server over TLS, past a proxy."""
        server = Peer(*steps, otherwise=answer("ok"), context=self.context)
        self.addCleanup(server.close)
        self.proxy = ConnectProxy(self.context if is_secure else None)
        self.addCleanup(self.proxy.close)
        made = Transport(server.url, trust=Trust(CERTIFICATE), proxies={"https": self.proxy.url}, timeout=timeout)
        self.addCleanup(made.close)
        return made

    def test_through(self) -> None:
        """Either way requests get there, over one tunnel."""
        for is_secure in (False, True):
            transport = self.transport(is_secure, Timeout.of(SOON))
            for _ in range(3):
                self.assertEqual(transport.send("POST", "/x", Trace(), body=bytes(100_000)).text, "ok")
            self.assertEqual(len(self.proxy.asked), 1)
            self.assertTrue(self.proxy.asked[0].startswith("CONNECT localhost:"))

    def test_in_time(self) -> None:
        """And either way what keeps a caller waiting comes to its end."""
        for is_secure in (False, True):
            for step in (silence(), drip(b"HTTP/1.1 200 O")):
                transport = self.transport(is_secure, Timeout(total=300 * MS), step)
                began = time.monotonic()
                with self.assertRaises(TimedOut) as caught:
                    transport.send("GET", "/x", Trace())
                self.assertEqual(caught.exception.phase, "read", str(caught.exception))
                self.assertLess(time.monotonic() - began, 2500 * MS)
