"""Who sends a request; with browsers against a real server: ``test_browsers.py``."""

from __future__ import annotations

import base64
from typing import Any
from unittest import mock

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from connectordb.server.handlers import Refusal, Session
from connectordb.server.proxies import Proxies
from connectordb.server.rights.accounts import Key, Password
from connectordb.server.web.askers import Askers, asked_for
from connectordb.server.web.cookies import Cookies
from connectordb.server.web.origins import Origins

from ..handlers.case import HandlerCase

PROXY, CLIENT = "10.0.0.1", "203.0.113.7"
SAID = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "db.example"}


class AskersTests(HandlerCase):
    """What requests say."""

    def setUp(self) -> None:
        super().setUp()
        self.cookies = Cookies(b"s" * 32, 120)
        self.askers = Askers(Proxies((PROXY,)), Origins(), self.cookies)

    def request(self, peer: str = CLIENT, path: str = "/api/v1/", verb: str = "GET", **headers: str) -> web.BaseRequest:
        """Return a request that came from *peer*; underscores in the names of headers are dashes."""
        transport = mock.Mock()
        found: dict[str, Any] = {"peername": (peer, 5000)}
        transport.get_extra_info.side_effect = lambda name, default=None: found.get(name, default)
        given = {"Host": "localhost:3124", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return make_mocked_request(verb, path, headers=given, transport=transport)

    def test_addresses(self) -> None:
        """Where it comes from: what a trusted proxy says, and nobody else."""
        for peer, headers, address, near in (
            (CLIENT, {}, CLIENT, False),
            ("127.0.0.1", {}, "127.0.0.1", True),
            ("::1", SAID, "::1", True),
            (PROXY, SAID, CLIENT, False),
            (PROXY, {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", True),
        ):
            with self.subTest(peer, headers=headers):
                request = self.request(peer, **headers)
                self.assertEqual((self.askers.address(request), self.askers.is_near(request)), (address, near))

    def test_site(self) -> None:
        """Where the client reaches the server: as configured, else as it says."""
        self.assertEqual(self.askers.site(self.request()), "http://localhost:3124")
        self.assertEqual(self.askers.site(self.request(PROXY, **SAID)), "https://db.example")
        configured = Askers(Proxies(), Origins(), self.cookies, "https://data.example/db/")
        self.assertEqual(configured.site(self.request()), "https://data.example/db")

    def test_credentials(self) -> None:
        """The header before the parameter before the cookie, and that only where the browser's user wants it."""
        cookie = self.cookies.give(self.caller("mara/lamp"), True, False).partition(";")[0]
        basic = "Basic " + base64.b64encode(b"mara:secret").decode()
        credentials = self.askers.credentials
        given = credentials(self.request(Cookie=cookie, Authorization=basic), "key")
        self.assertEqual(given, Password("mara", "secret"))
        self.assertEqual(credentials(self.request(Cookie=cookie), "key"), Key("key"))
        self.assertIsNone(credentials(self.request(), None))
        self.assertIsNone(credentials(self.request(Cookie="connectordb-session=x"), None))
        for headers, believed in (
            ({}, True),
            ({"Origin": "http://localhost:3124"}, True),
            ({"Origin": "http://localhost:8888"}, False),
            ({"Sec_Fetch_Site": "cross-site"}, False),
            ({"Upgrade": "websocket"}, False),
        ):
            with self.subTest(headers):
                found = credentials(self.request(Cookie=cookie, **headers), None)
                self.assertEqual(found is not None, believed)

    def test_sessions(self) -> None:
        """Whom a browser may be logged in as, and what becomes of what was done when it may not."""
        session = Session(self.caller("mara/lamp"))
        evil = {"Origin": "http://evil.example"}
        self.assertIn("Max-Age", self.askers.session(self.request(), session, changed=False))
        self.assertIn("Secure", self.askers.session(self.request(PROXY, **SAID), session, changed=False))
        self.assertIn("Max-Age=0", self.askers.session(self.request(**evil), Session(None), changed=False))
        self.assertEqual(self.askers.session(self.request(**evil), session, changed=True), "")
        for request in (self.request(**evil), self.request(path="/api/v1/login?apikey=x")):
            with self.assertRaises(Refusal) as caught:
                self.askers.session(request, session, changed=False)
            self.assertEqual(caught.exception.status, 403)

    def test_asked_for(self) -> None:
        """What the log calls a request holds no key."""
        self.assertEqual(asked_for(self.request(path="/api/v1/%0a?apikey=x")), "GET /api/v1/%0a")
