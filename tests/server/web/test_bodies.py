"""Bodies of requests, received by a real server."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
from typing import Any

from connectordb.server import Server
from connectordb.server.config import KIB, MIB, Config, Limits
from connectordb.server.handlers import Refusal
from connectordb.server.web.bodies import Bodies, Body

from ...support.case import SOON, Case
from ...support.server import run_server

LOGIN = b"Authorization: Basic " + base64.b64encode(b"test:test") + b"\r\n"
WRONG = b"Authorization: Basic " + base64.b64encode(b":nosuchkey") + b"\r\n"
HEAD = b"POST /api/v1/crud/test/user/s HTTP/1.1\r\nHost: x\r\n"

LIMITS = Limits(body_bytes=2 * MIB, anonymous_bytes=100 * KIB, unknown_bytes=64 * KIB, body_seconds=0.2)


class Counting(Case):
    """What is held is counted, also when it is not held any more."""

    def test_counts(self) -> None:
        """Strangers fill an eighth of the room, all together all of it; what is forgotten makes room again."""
        bodies = Bodies(Limits(bodies_bytes=8 * MIB))
        known, stranger = Body(), Body()
        stranger.anonymous = True
        bodies._count(stranger, b" " * MIB, 10 * MIB)
        with self.assertRaises(Refusal) as caught:
            bodies._count(stranger, b" ", 10 * MIB)
        self.assertEqual(caught.exception.status, 503)
        bodies._count(known, b" " * (7 * MIB - 1), 10 * MIB)
        with self.assertRaises(Refusal):
            bodies._count(known, b" ", 10 * MIB)
        bodies.forget(stranger)
        bodies._count(known, b" ", 10 * MIB)
        bodies.forget(known)
        self.assertEqual((bodies._held, bodies._strangers, known.held), (0, 0, 7 * MIB + 1))


class Receiving(Case):
    """Who may send how much."""

    server: Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        ends = contextlib.ExitStack()
        cls.server = ends.enter_context(run_server(config=Config(limits=LIMITS)))
        cls.addClassCleanup(ends.close)

    def talk(self, *parts: bytes) -> tuple[int, dict[str, Any]]:
        """Send bytes; return the status and the error body of the first answer, which must come before more is sent."""
        host, port = self.server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=SOON) as connection:
            for part in parts:
                connection.sendall(part)
            with connection.makefile("rb") as answer:
                status = int(answer.readline().split()[1])
                length = 0
                while line := answer.readline().strip():
                    name, _, value = line.lower().partition(b":")
                    length = int(value) if name == b"content-length" else length
                body = answer.read(length)
        return status, json.loads(body) if body.startswith(b"{") else {"body": body}

    def test_wrong_key(self) -> None:
        """Wrong credentials are refused before a long body is there, announced, in chunks, or on demand."""
        for about in (
            b"Content-Length: 1000000\r\n\r\n",
            b"Content-Length: 1000000\r\n\r\n" + b" " * 100_000,
            b"Transfer-Encoding: chunked\r\n\r\n",
            b"Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
        ):
            with self.subTest(about[:60]):
                status, told = self.talk(HEAD + WRONG + about)
                self.assertEqual((status, told["msg"]), (401, "The requested device was not found."))

    def test_strangers(self) -> None:
        """Who is not logged in may send less."""
        status, told = self.talk(HEAD + b"Content-Length: 110000\r\n\r\n")
        self.assertEqual(
            (status, told["msg"]), (413, "the body is longer than 102400 bytes; send the points in smaller pieces")
        )
        chunk = b"18000\r\n" + b" " * 0x18000 + b"\r\n"
        self.assertEqual(self.talk(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk)[0], 413)
        self.assertEqual(self.talk(HEAD + b"Content-Length: 90000\r\n\r\n" + b"{}".ljust(90_000))[0], 403)

    def test_limit(self) -> None:
        """Who is logged in may send what the configuration says."""
        status, told = self.talk(HEAD + LOGIN + b"Content-Length: 2097153\r\n\r\n")
        self.assertEqual(
            (status, told["msg"]), (413, "the body is longer than 2 MiB; send the points in smaller pieces")
        )
        self.assertEqual(self.talk(HEAD + LOGIN + b"Content-Length: 2000000\r\n\r\n" + b"{}".ljust(2_000_000))[0], 200)

    def test_slow(self) -> None:
        """A body that takes too long is refused."""
        for about in (b"Content-Length: 5\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"):
            with self.subTest(about):
                status, told = self.talk(HEAD + LOGIN + about)
                self.assertEqual((status, told["msg"]), (400, "the body did not arrive within 0.2 s"))

    def test_expect(self) -> None:
        """A client that waits for leave to send its body gets it; one that does not wait needs none."""
        head = HEAD.replace(b"/s ", b"/expected ") + LOGIN + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        host, port = self.server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=SOON) as connection:
            connection.sendall(head)
            self.assertEqual(connection.recv(1000), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(b"{}")
            self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertIn(self.talk(head + b"{}")[0], (100, 403))  # the stream is there already
