"""What browsers send, against a real server: cookies, origins, and who may not use somebody's login."""

from __future__ import annotations

import json
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from xml.etree import ElementTree

import requests
import websocket

from connectordb.server.config import Config, Listen

from ..support.case import SOON
from ..support.server import run_server
from .web.test_app import AppCase

EVIL = {"Origin": "http://evil.example"}


class BrowserCase(AppCase):
    """A test case with the cookie of ``test/user``."""

    def setUp(self) -> None:
        super().setUp()
        self.http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # here the tests decide what is sent
        self.own = {"Origin": self.server.url}
        self.cookie = {"Cookie": self.send("GET", "/login").headers["Set-Cookie"].partition(";")[0]}

    def who(self, headers: dict[str, str], auth: Any = None) -> str:
        """Return as whom a reading request is answered."""
        text: str = self.send("GET", "/?q=this", auth=auth, headers=headers).text
        return text

    def site(self, path: str, **options: Any) -> requests.Response:
        """Get something that is not below the API."""
        return self.http.get(f"{self.server.url}{path}", timeout=SOON, allow_redirects=False, **options)


class Cookies(BrowserCase):
    """A session from beginning to end."""

    def test_session(self) -> None:
        """One logs in, is somebody without a password, and logs out."""
        answer = self.send("GET", "/login")
        self.assertEqual(answer.text, "ok")
        self.assertIn("no-store", answer.headers["Cache-Control"])
        self.assertEqual(self.who(self.cookie), "test/user")
        self.assertEqual(self.send("PUT", "/crud/test", {}, None, headers={**self.cookie, **self.own}).status_code, 200)
        self.assertIn("Max-Age=0", self.send("GET", "/logout", auth=None).headers["Set-Cookie"])

    def test_refused(self) -> None:
        """Nobody, wrong passwords and verbs of changes get no cookie."""
        for auth in (None, ("test", "wrong")):
            answer = self.send("GET", "/login", auth=auth)
            self.is_error(answer, 401)
            self.assertNotIn("Set-Cookie", answer.headers)
        self.is_error(self.send("POST", "/login"), 405)

    def test_pages(self) -> None:
        """The pages of a 0.3 server for it lead on, or say what this is."""
        answer = self.site("/login", auth=("test", "test"))
        self.assertEqual((answer.status_code, answer.headers["Location"]), (302, "/"))
        self.assertIn("connectordb-session=", answer.headers["Set-Cookie"])
        answer = self.site("/logout")
        self.assertEqual((answer.status_code, answer.headers["Location"]), (302, "/"))
        for path in ("/", "/login"):
            self.assertIn("<html", self.site(path).text)
        self.assertEqual(self.site("/login/").headers["Location"], "/login")

    def test_not_by_another_page(self) -> None:
        """Another page can neither log a browser in, nor by a link that holds a key."""
        key = self.send("GET", "/crud/test/user").json()["apikey"]
        self.is_error(self.send("GET", "/login", headers=EVIL), 403)
        self.is_error(self.send("GET", "/login", headers={"Sec-Fetch-Site": "same-site"}), 403)
        self.is_error(self.send("GET", f"/login?apikey={key}", auth=None), 403)
        answer = self.send("GET", f"/login?apikey={key}", auth=None, headers={"Sec-Fetch-Site": "none"})
        self.assertIn("connectordb-session=", answer.headers["Set-Cookie"])


class Believed(BrowserCase):
    """A cookie counts only if our own page, or the user, made the browser send it."""

    def test_reading(self) -> None:
        """Reading."""
        for headers, who in (
            (self.own, "test/user"),
            ({"Sec-Fetch-Site": "same-origin"}, "test/user"),
            ({"Sec-Fetch-Site": "none"}, "test/user"),
            (EVIL, "nobody"),
            ({"Origin": "null"}, "nobody"),
            ({"Sec-Fetch-Site": "cross-site"}, "nobody"),
        ):
            with self.subTest(headers):
                self.assertEqual(self.who({**self.cookie, **headers}), who)
        self.assertEqual(self.who({**self.cookie, **EVIL}, ("test", "test")), "test/user")

    def test_changing(self) -> None:
        """Changing, also as a form sends it, which asks nobody before."""
        for headers in ({}, EVIL, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null", "Content-Type": "text/plain"}):
            with self.subTest(headers):
                answer = self.send("POST", "/crud/test/stolen", {}, None, headers={**self.cookie, **headers})
                self.assertEqual(answer.status_code, 403)
        self.assertEqual(self.send("GET", "/crud/test/stolen").status_code, 404)

    def test_websockets(self) -> None:
        """Websockets: another page's is nobody's, and sees nothing."""
        self.send("POST", "/crud/test/user/heard", {})
        for origin, expected in ((self.server.url, True), (EVIL["Origin"], False), (None, False)):
            with self.subTest(origin):
                url = f"{self.server.url.replace('http', 'ws', 1)}/api/v1/websocket"
                options: Any = {"cookie": self.cookie["Cookie"], "timeout": SOON}
                options |= {"origin": origin} if origin else {"suppress_origin": True}
                socket = websocket.create_connection(url, **options)
                try:
                    command = {"cmd": "insert", "arg": "test/user/heard", "d": [{"d": 1}]}
                    socket.send(json.dumps(command))
                    socket.close()
                finally:
                    socket.shutdown()
                length = self.send("GET", "/crud/test/user/heard/data?q=length").text
                self.assertEqual(length, "1" if expected else length)
        self.assertEqual(length, "1")


class BehindAProxy(AppCase):
    """A server that is reached by another name and by TLS."""

    def test_proxy(self) -> None:
        """What a trusted proxy says is the server's own origin, and the cookie goes by TLS alone; others are not asked."""
        said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "db.example"}
        for proxies, secure, status in ((("127.0.0.1",), True, 200), ((), False, 403)):
            with (
                self.subTest(proxies),
                run_server(config=Config(listen=Listen(port=0, trusted_proxies=proxies))) as server,
            ):
                url = f"{server.url}/api/v1"
                given = self.http.get(f"{url}/login", auth=("test", "test"), headers=said, timeout=SOON).headers[
                    "Set-Cookie"
                ]
                self.assertEqual("; Secure" in given, secure)
                headers = {**said, "Cookie": given.partition(";")[0], "Origin": "https://db.example"}
                stream = f"{url}/crud/test/user/proxied"
                self.http.cookies.clear()
                self.assertEqual(self.http.post(stream, data="{}", headers=headers, timeout=SOON).status_code, status)
                self.http.close()


class OtherOrigins(AppCase):
    """Pages that are not ours."""

    def test_preflight(self) -> None:
        """Any path says what may be asked, whoever asks; nothing hands over a login."""
        for path in ("/crud/test", "/nosuch", "/login"):
            answer = self.send("OPTIONS", path, auth=("test", "wrong"), headers=EVIL)
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")
            self.assertIn("Authorization", answer.headers["Access-Control-Allow-Headers"])
            self.assertNotIn("Access-Control-Allow-Credentials", answer.headers)

    def test_errors(self) -> None:
        """Errors can be read, too."""
        for path, status in (("/nosuch", 404), ("/crud/test/user/x/data", 400)):
            answer = self.send("GET", path, headers=EVIL)
            self.is_error(answer, status)
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")

    def test_some(self) -> None:
        """With a list in the configuration only its pages can read; our own address can be part of it."""
        listen = Listen(port=0, allowed_origins=("https://app.example",), site_url="https://db.example/")
        with run_server(config=Config(listen=listen)) as server:
            for origin, allowed in (("https://app.example", "https://app.example"), (EVIL["Origin"], None)):
                answer = self.http.get(f"{server.url}/api/v1/meta/version", headers={"Origin": origin}, timeout=SOON)
                self.assertEqual(answer.headers.get("Access-Control-Allow-Origin"), allowed)
                self.assertIn("Origin", answer.headers["Vary"])
            url = f"{server.url}/api/v1/crud/test/user/s"
            self.http.post(url, data="{}", auth=("test", "test"), timeout=SOON)
            feed = self.http.get(url.replace("/crud/", "/feed/"), auth=("test", "test"), timeout=SOON)
            link = ElementTree.fromstring(feed.content).find("{http://www.w3.org/2005/Atom}link")
            assert link is not None
            self.assertEqual(link.get("href"), "https://db.example/api/v1/feed/test/user/s.atom")
            self.http.close()
