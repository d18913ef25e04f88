"""Tests of `tests.support.saboteur` and of what happens in it."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import mishaps
from .case import Case
from .saboteur import Fault, Saboteur

_INSERT = "/api/v1/crud/u/d/s/data"


class _Handler(BaseHTTPRequestHandler):
    """Answers everything with ``ok`` and what it can do, and notes the bodies."""

    protocol_version = "HTTP/1.1"
    bodies: list[bytes]

    def do_POST(self) -> None:
        wanted = int(self.headers.get("Content-Length", "-1"))
        body = self.rfile.read(max(wanted, 0))
        if len(body) == wanted:
            self.bodies.append(body)
        self.send_response(200)
        self.send_header("ConnectorDB-Features", "durable")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class ProxyTests(Case):
    """What is to happen to a request happens to it, and the next one passes."""

    def setUp(self) -> None:
        super().setUp()
        self.bodies: list[bytes] = []
        handler = type("Handler", (_Handler,), {"bodies": self.bodies})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        self.addCleanup(serving.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.proxy = Saboteur(f"http://127.0.0.1:{server.server_address[1]}")
        self.addCleanup(self.proxy.close)

    def post(self, body: bytes) -> tuple[int, bytes, str | None] | None:
        """Return status and body of an answer, and what was announced; none if there was no whole answer."""
        connection = http.client.HTTPConnection(self.proxy.url.removeprefix("http://"), timeout=10)
        try:
            connection.request("POST", _INSERT, body)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers["ConnectorDB-Features"]
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def outcome(self, fault: Fault) -> tuple[bool, bool]:
        """Return whether an insert with that fault was answered, and whether it arrived; the next one must pass."""
        self.bodies.clear()
        self.proxy.next(fault)
        answer = self.post(b"1")
        answered = answer is not None and answer[1] in (b"ok", b"no")
        self.proxy.let_arrive()
        arrived = b"1" in self.bodies
        self.assertEqual((200, b"ok", "durable"), self.post(b"2"))
        return answered, arrived

    def test_faults(self) -> None:
        """Each does what it says."""
        for fault, outcome in (
            (mishaps.passed, (True, True)),
            (mishaps.lost, (False, False)),
            (mishaps.stored_and(mishaps.lost), (False, True)),
            (mishaps.request_cut(0.9), (False, False)),
            (mishaps.answer_cut(0.9), (False, True)),
            (mishaps.answer_cut(1.0), (True, True)),
            (mishaps.request_held, (False, True)),
            (mishaps.answered(500, b"no"), (True, False)),
        ):
            with self.subTest(fault=fault):
                self.assertEqual(outcome, self.outcome(fault))

    def test_overtaken(self) -> None:
        """A late request arrives with the next one, before it or after it."""
        for first, order in (True, [b"1", b"2"]), (False, [b"2", b"1"]):
            self.bodies.clear()
            self.proxy.next(mishaps.request_overtaken(first))
            self.assertIsNone(self.post(b"1"))
            self.post(b"2")
            self.assertEqual(order, self.bodies)

    def test_skipped(self) -> None:
        """A fault may be that of a later request, and is none when it was called off."""
        self.proxy.next(mishaps.lost, skip=1)
        self.assertEqual([True, False, True], [self.post(b"1") is not None for _ in range(3)])
        self.proxy.next(mishaps.lost)
        self.assertEqual(1, self.proxy.calm())
        self.assertIsNotNone(self.post(b"1"))

    def test_announced(self) -> None:
        """What a server can do beyond 0.3 can be kept from clients."""
        self.proxy.announces = False
        self.assertEqual((200, b"ok", None), self.post(b"1"))
