"""Clients that count as being elsewhere: compressed answers, what they took, and how many connections they may have."""

from __future__ import annotations

import contextlib
import zlib
from typing import Any

import requests
import websocket

from connectordb.server.config import Compression, Config, Limits, Listen

from ..support.case import SOON
from ..support.server import run_server
from .web.test_app import AppCase


class Compressed(AppCase):
    """Who accepts it gets large answers compressed."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        config = Config(compression=Compression(loopback=True), listen=Listen(trusted_proxies=("127.0.0.1",)))
        cls.far = cls.ends.enter_context(run_server(config=config))

    def setUp(self) -> None:
        super().setUp()
        for server in (self.server, self.far):
            url = f"{server.url}/api/v1/crud/test/user/s"
            if self.http.get(url, auth=("test", "test"), timeout=SOON).status_code == 404:
                self.http.post(url, data="{}", auth=("test", "test"), timeout=SOON)
                points = [{"t": float(t), "d": t} for t in range(1, 20_001)]
                self.http.post(f"{url}/data", json=points, auth=("test", "test"), timeout=SOON)

    def get(self, accepted: str, query: str, server: Any = None, **headers: str) -> requests.Response:
        """Read points."""
        url = f"{(server or self.far).url}/api/v1/crud/test/user/s/data{query}"
        headers["Accept-Encoding"] = accepted
        return self.http.get(url, headers=headers, auth=("test", "test"), timeout=SOON, stream=True)

    def test_long(self) -> None:
        """A long answer is compressed piece by piece, and all of it arrives."""
        for accepted, bits in (("gzip", 31), ("deflate", 15)):
            answer = self.get(accepted, "?i1=0")
            self.assertEqual(
                (answer.headers["Content-Encoding"], answer.headers["Vary"]), (accepted, "Accept-Encoding")
            )
            sent = answer.raw.read(decode_content=False)
            plain = zlib.decompress(sent, bits)
            self.assertEqual(plain, self.get("identity", "?i1=0").content)
            self.assertLess(len(sent), len(plain) / 3)

    def test_in_one(self) -> None:
        """So is one that is sent in one piece."""
        answer = self.get("gzip", "?i1=0&i2=2000")
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertEqual(len(answer.json()), 2000)

    def test_not(self) -> None:
        """Small answers, clients that do not ask for it, and HEAD: not."""
        for accepted, query in (("gzip", "?i1=0&i2=5"), ("identity", "?i1=0"), ("br", "?i1=0")):
            with self.subTest(accepted):
                self.assertNotIn("Content-Encoding", self.get(accepted, query).headers)
        self.assertEqual(self.get("br", "?i1=0").headers["Vary"], "Accept-Encoding")
        self.assertNotIn("Vary", self.get("gzip", "?i1=0&i2=5").headers)
        head = self.http.head(f"{self.far.url}/api/v1/crud/test/user/s/data?i1=0", auth=("test", "test"), timeout=SOON)
        self.assertNotIn("Content-Encoding", head.headers)

    def test_near(self) -> None:
        """On this machine nothing is compressed, unless a trusted proxy says that the client is elsewhere."""
        self.assertNotIn("Content-Encoding", self.get("gzip", "?i1=0", self.server).headers)
        config = Config(listen=Listen(trusted_proxies=("127.0.0.1",)))
        with run_server(config=config) as server:
            url = f"{server.url}/api/v1/crud/test/user/s"
            self.http.post(url, data="{}", auth=("test", "test"), timeout=SOON)
            points = [{"t": float(t), "d": t} for t in range(1, 2001)]
            self.http.post(f"{url}/data", json=points, auth=("test", "test"), timeout=SOON)
            self.assertNotIn("Content-Encoding", self.get("gzip", "?i1=0", server).headers)
            far = self.get("gzip", "?i1=0", server, **{"X-Forwarded-For": "203.0.113.7"})
            self.assertEqual(far.headers["Content-Encoding"], "gzip")
            self.http.close()


class Timed(AppCase):
    """Answers say what they took."""

    def test_parts(self) -> None:
        """Reading, changing, and how many points."""
        self.send("POST", "/crud/test/user/timed", {})
        wrote = self.send("POST", "/crud/test/user/timed/data", [{"t": 1}, {"t": 2}]).headers["Server-Timing"]
        self.assertRegex(wrote, r'total;dur=[\d.]+, queue;.*login;.*storage;.*flush;dur=[\d.]+, points;desc="2"')
        read = self.send("GET", "/crud/test/user/timed/data?i1=1").headers["Server-Timing"]
        self.assertNotIn("flush", read)
        self.assertIn('points;desc="1"', read)
        self.assertIn("total", self.send("GET", "/meta/version").headers["Server-Timing"])
        self.assertNotIn("Server-Timing", self.send("GET", "/crud/nosuch").headers)


class Guests(AppCase):
    """A proxy has as many connections as it needs, and each client behind it no more than its share."""

    def test_websockets(self) -> None:
        """They count for whom the proxy names."""
        config = Config(listen=Listen(trusted_proxies=("127.0.0.1",)), limits=Limits(connections_per_address=2))
        with run_server(config=config) as server, contextlib.ExitStack() as open_ones:

            def opened(address: str) -> bool:
                connection = websocket.WebSocket()
                open_ones.callback(connection.shutdown)
                url = f"{server.url.replace('http', 'ws', 1)}/api/v1/websocket"
                try:
                    connection.connect(url, header={"X-Forwarded-For": f"{address}"}, timeout=SOON)
                except websocket.WebSocketBadStatusException as error:
                    self.assertEqual(error.status_code, 503)
                    return False
                return True

            found = [opened(address) for address in ("9.9.9.9", "1.1.1.1, 9.9.9.9", "2.2.2.2, 9.9.9.9", "8.8.8.8")]
            self.assertEqual(found, [True, True, False, True])
            answer = self.http.get(f"{server.url}/health", headers={"X-Forwarded-For": "9.9.9.9"}, timeout=SOON)
            self.assertEqual(answer.status_code, 503)
            open_ones.close()
            self.eventually(lambda: opened("9.9.9.9"), "places to be given back")
