"""Bytes that no library sends, on a real server's socket: there is an error body, never a hang, and the next is answered."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from connectordb.server.config import KIB, Config, Limits

from ..support.case import SOON
from ..support.server import run_server
from .web.test_app import AppCase

VERSION = b"GET /api/v1/meta/version HTTP/1.1\r\nHost: x\r\n"
CLOSE = b"Connection: close\r\n\r\n"


class RawCase(AppCase):
    """A test case that reads answers from a socket."""

    def answers(self, sent: bytes, count: int = 1, url: str = "") -> list[tuple[int, dict[str, str], bytes]]:
        """Send bytes and return so many answers: status, headers by their lower-case names, body."""
        host, port = (url or self.server.url).removeprefix("http://").split(":")
        found = []
        with socket.create_connection((host, int(port)), timeout=SOON) as connection:
            connection.sendall(sent)
            with connection.makefile("rb") as stream:
                for _ in range(count):
                    status = int(stream.readline().split()[1])
                    headers: dict[str, str] = {}
                    while line := stream.readline().strip():
                        name, _, value = line.decode().partition(":")
                        headers[name.lower()] = value.strip()
                    body = b"" if sent.startswith(b"HEAD") else stream.read(int(headers.get("content-length", 0)))
                    found.append((status, headers, body))
        return found

    def told(self, sent: bytes) -> tuple[int, dict[str, Any]]:
        """Return the status and the error body of the answer."""
        ((status, headers, body),) = self.answers(sent)
        self.assertTrue(headers["content-type"].startswith("application/json"), headers)
        self.assertEqual(headers["x-content-type-options"], "nosniff")
        told = json.loads(body)
        self.assertEqual((set(told), told["code"]), ({"code", "msg", "ref"}, status))
        self.assertNotIn("\n", told["msg"])
        return status, told


class Malformed(RawCase):
    """What is no request."""

    def test_table(self) -> None:
        """Each is refused with the status that says what is wrong."""
        post = b"POST /api/v1/crud/test HTTP/1.1\r\nHost: x\r\n"
        for sent, status in (
            (b"nonsense\r\n\r\n", 400),
            (b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + b"x" * 200, 400),  # TLS
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),  # HTTP/2
            (b"GET /api/v1/ HTTP/9.9\r\n\r\n", 400),
            (b"GET /api/v1/\x00 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            (b"GET /api/v1/\xff\xc3 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            (b"A" * 100 + b" / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n\r\n", 400),  # no host
            (post + b"Content-Length: -3\r\n\r\n", 400),
            (post + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
            (post + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),  # smuggling
            (post + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
            (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
            (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431),
            (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a" * 70_000 + b": x\r\n\r\n", 431),
            (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(300)) + b"\r\n", 431),
            (b"TRACE /api/v1/ HTTP/1.1\r\nHost: x\r\n\r\n", 405),
            (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ):
            with self.subTest(sent[:60]):
                self.assertEqual(self.told(sent)[0], status)
                self.assertEqual(self.answers(VERSION + CLOSE)[0][2], b"0.3.0")

    def test_truncated(self) -> None:
        """A request that ends anywhere harms nobody."""
        whole = b"POST /api/v1/crud/test/user/t HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
        host, port = self.server.url.removeprefix("http://").split(":")
        for end in range(0, len(whole), 5):
            with socket.create_connection((host, int(port)), timeout=SOON) as connection:
                connection.sendall(whole[:end])
        self.assertEqual(self.answers(VERSION + CLOSE)[0][2], b"0.3.0")

    def test_slow(self) -> None:
        """A request whose headers do not come to an end is told so."""
        with run_server(config=Config(limits=Limits(header_seconds=0.2, line_bytes=8 * KIB))) as server:
            parts = (b"", b"GET /api", VERSION)
            with ThreadPoolExecutor() as threads:
                answers = list(threads.map(lambda sent: self.answers(sent, url=server.url), parts))
            self.assertEqual([[status for status, _, _ in found] for found in answers], [[408]] * 3)


class Wellformed(RawCase):
    """What is rare, and right."""

    def test_pipelined(self) -> None:
        """Requests that do not wait for answers are answered in their order, also behind one that is refused."""
        nowhere = b"GET /nosuch HTTP/1.1\r\nHost: x\r\n\r\n"
        found = self.answers((VERSION + b"\r\n" + nowhere) * 10, 20)
        self.assertEqual([status for status, _, _ in found], [200, 404] * 10)

    def test_in_pieces(self) -> None:
        """A request may come byte by byte."""
        host, port = self.server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=SOON) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in VERSION + CLOSE:
                connection.sendall(bytes([byte]))
            with connection.makefile("rb") as stream:
                self.assertTrue(stream.read().endswith(b"\r\n\r\n0.3.0"))

    def test_old_and_absolute(self) -> None:
        """HTTP/1.0, and addresses that name the server."""
        self.assertEqual(self.answers(b"GET /api/v1/meta/version HTTP/1.0\r\n\r\n")[0][2], b"0.3.0")
        sent = b"GET http://x:1/api/v1/meta/version?a=b HTTP/1.1\r\nHost: x\r\n\r\n"
        self.assertEqual(self.answers(sent)[0][2], b"0.3.0")

    def test_verbs(self) -> None:
        """HEAD is GET without a body, OPTIONS and refusals tell what is possible."""
        ((status, headers, _),) = self.answers(VERSION.replace(b"GET", b"HEAD") + CLOSE)
        self.assertEqual((status, headers["content-length"]), (200, "5"))
        ((status, headers, _),) = self.answers(b"OPTIONS /api/v1/crud/a/b/c/data HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual((status, headers["allow"]), (200, "GET, POST, PUT, HEAD, OPTIONS"))
        ((status, headers, _),) = self.answers(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual((status, headers["allow"]), (200, "GET, POST, PUT, DELETE, HEAD, OPTIONS"))
        ((status, headers, _),) = self.answers(b"DELETE /api/v1/login HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual((status, headers["allow"]), (405, "GET, HEAD, OPTIONS"))
        ((status, headers, _),) = self.answers(b"HEAD /api/v1/websocket HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual((status, headers["upgrade"]), (426, "websocket"))

    def test_handshakes(self) -> None:
        """What is no handshake is refused, and the connection goes on."""
        start = b"GET /api/v1/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        old = b"Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        for about in (
            b"",
            old,
            b"Sec-WebSocket-Version: 13\r\n",
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n",
        ):
            with self.subTest(about):
                found = self.answers(start + about + b"\r\n" + VERSION + CLOSE, 2)
                self.assertEqual([status for status, _, _ in found], [400, 200])
