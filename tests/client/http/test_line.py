"""One line to a server, beneath requests' session."""

from __future__ import annotations

import os
from unittest import mock

import requests

from connectordb.client.http.allowance import Allowance
from connectordb.client.http.line import Line
from connectordb.client.terms.timeouts import Timeout
from connectordb.client.terms.trace import Trace
from connectordb.network import Trust
from connectordb.runtime.clock import SYSTEM
from tests.support.case import Case
from tests.support.wire import Peer, answer, hang_up


class Exchanging(Case):
    """What comes back."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = Peer(otherwise=answer("ok"))
        self.addCleanup(self.peer.close)
        self.line = Line(self.peer.url, Trust(), {})
        self.addCleanup(self.line.close)

    def allowance(self) -> Allowance:
        """Return the time of a request."""
        timeout = Timeout()
        return Allowance(timeout, timeout.deadline(), Trace(), SYSTEM)

    def test_response(self) -> None:
        """The answer is one of requests', whole, with the request in it."""
        self.peer.steps[:] = [answer("grün".encode(), 404, Content_Type="text/plain; charset=utf-8", X_One="1")]
        url = f"{self.peer.url}/api/v1/?q=this"
        response = self.line.exchange("PATCH", url, {"X-Two": "2"}, None, self.allowance())
        self.assertEqual((response.status_code, response.reason, response.ok), (404, "Not Found", False))
        self.assertEqual((response.text, response.encoding), ("grün", "utf-8"))
        self.assertEqual(response.content, response.content)
        self.assertEqual(b"".join(response.iter_content(2)), "grün".encode())
        self.assertEqual(response.headers["x-one"], "1")
        self.assertEqual((response.url, response.request.url, response.request.method), (url, url, "PATCH"))
        self.assertEqual(response.request.headers["x-two"], "2")
        self.assertEqual(len(response.cookies), 0)
        self.assertEqual(self.peer.requests[0].target, "/api/v1/?q=this")

    def test_after_a_failure(self) -> None:
        """The next request has a connection of its own."""
        self.peer.steps[:] = [hang_up()]
        with self.assertRaises(requests.exceptions.ConnectionError):
            self.line.exchange("GET", f"{self.peer.url}/", {}, None, self.allowance())
        allowance = self.allowance()
        self.assertEqual(self.line.exchange("GET", f"{self.peer.url}/", {}, None, allowance).text, "ok")
        self.assertFalse(allowance.trace.reused)

    def test_closed_by_the_server(self) -> None:
        """A connection that the server has closed meanwhile is seen, and not used."""
        for _ in range(3):
            allowance = self.allowance()
            self.assertEqual(
                self.line.exchange("POST", f"{self.peer.url}/", {"Content-Length": "1"}, b"x", allowance).text, "ok"
            )
            self.assertFalse(allowance.trace.reused)
            self.peer.hang_up_all()
            self.eventually(lambda: not self.peer._open, "the connection to end")

    def test_proxy_that_changes(self) -> None:
        """A new connection goes by the proxy that there is then, one that stands is used as it is."""
        proxy = Peer(otherwise=answer("by the proxy"))
        self.addCleanup(proxy.close)
        url = f"{self.peer.url}/"
        for proxies, said in ({}, "ok"), ({"http": proxy.url}, "ok"), ({"http": proxy.url}, "by the proxy"), ({}, "ok"):
            line_is_open = said == "ok" and proxies
            with mock.patch.dict(os.environ, {"http_proxy": proxies.get("http", ""), "no_proxy": ""}):
                if not line_is_open:
                    self.line.close()
                self.assertEqual(self.line.exchange("GET", url, {}, None, self.allowance()).text, said)

    def test_fork(self) -> None:
        """A child that was forked off in the middle of anything lets go of the socket, and takes no lock."""
        self.line.exchange("GET", f"{self.peer.url}/", {}, None, self.allowance())
        held = self.line._wire.socket
        assert held is not None
        with self.line.poolmanager.pools.lock:  # as another thread may have it at that moment
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    self.line.abandon()
                    status = 0 if held.fileno() == -1 else 2
                finally:
                    os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        allowance = self.allowance()
        self.assertEqual(self.line.exchange("GET", f"{self.peer.url}/", {}, None, allowance).text, "ok")
        self.assertTrue(allowance.trace.reused)

    def test_no_body(self) -> None:
        """Without a body a POST says so."""
        self.line.exchange("POST", f"{self.peer.url}/", {}, None, self.allowance())
        self.assertEqual(self.peer.requests[0].headers["content-length"], "0")
