"""Work ends when nobody waits for it any more, and what was stored is never called undone: against a real server."""

from __future__ import annotations

import base64
import socket
import threading
import time
from concurrent.futures import Future
from typing import Any
from unittest import mock

from connectordb.runtime.clock import Deadline
from connectordb.server.aftermath import Promise
from connectordb.server.handlers import data

from ..support.case import MS, SOON
from .web.test_app import AppCase

LOGIN = b"Authorization: Basic " + base64.b64encode(b"test:test") + b"\r\n"


class DeadlineCase(AppCase):
    """A test case that can hold up the storage."""

    def setUp(self) -> None:
        super().setUp()
        assert self.server._database is not None
        self.storage = self.server._database.storage
        self.send("POST", "/crud/test/user/s", {})
        # one read and one write: what follows finds everything warm
        self.key = self.send("GET", "/crud/test/user").json()["apikey"]
        self.free = threading.Event()
        self.held: list[Future[Any]] = []
        self.addCleanup(self.release)

    def hold(self, *works: Any) -> None:
        """Hold up threads of the storage until `release`; one by each of *works*, which hand it something to do."""
        for work in works:
            begun = threading.Event()

            def wait(_: Any, begun: threading.Event = begun) -> None:
                begun.set()
                self.free.wait(SOON)

            self.held.append(work(wait))
            self.assertTrue(begun.wait(SOON))

    def release(self) -> None:
        """Let the storage go on, and wait until it does."""
        self.free.set()
        for future in self.held:
            future.result(SOON)

    def length(self) -> int:
        """Return the length of the stream."""
        return int(self.send("GET", "/crud/test/user/s/data?q=length").text)

    def ask(self, verb: str, path: str, seconds: float, body: Any = None) -> Any:
        """Make a request with a key and a deadline."""
        return self.send(verb, path, body, ("", self.key), headers={"ConnectorDB-Timeout": str(seconds)})


class Deadlines(DeadlineCase):
    """A deadline that a client gives."""

    def test_in_time(self) -> None:
        """What is done in time is answered as always."""
        self.assertEqual(self.ask("POST", "/crud/test/user/s/data", SOON, [{"t": 1, "d": 1}]).text, "ok")

    def test_queued_change(self) -> None:
        """A change that had not begun is not done, and the client is told so."""
        before = self.length()
        self.hold(self.storage.write)
        answer = self.ask("POST", "/crud/test/user/s/data", 50 * MS, [{"d": 1}])
        self.is_error(answer, 503)
        self.assertIn("nothing was changed", answer.json()["msg"])
        self.release()
        self.assertEqual(self.length(), before)

    def test_queued_read(self) -> None:
        """Reading that waits is given up."""
        self.hold(self.storage.read, self.storage.read)
        self.is_error(self.ask("GET", "/?q=this", 50 * MS), 503)

    def test_slow_body(self) -> None:
        """The deadline counts while the body is on its way, too."""
        head = b"POST /api/v1/crud/test/user/s/data HTTP/1.1\r\nHost: x\r\nConnection: close\r\nConnectorDB-Timeout: 0.05\r\n"
        answer = self.raw(head + LOGIN + b"Content-Length: 5\r\n\r\n[")
        self.assertIn(b" 503 ", answer.partition(b"\r\n")[0])

    def test_nonsense(self) -> None:
        """What is no number of seconds is told."""
        for text in ("x", "0", "-1", "nan"):
            self.is_error(self.send("GET", "/?q=this", headers={"ConnectorDB-Timeout": text}), 400)


class Gone(DeadlineCase):
    """A client that closes the connection."""

    def setUp(self) -> None:
        super().setUp()
        #: What the storage was given to do for requests.
        self.given: list[Promise[Any]] = []
        for name in ("give_read", "give_write"):
            noting = mock.patch.object(self.storage, name, self.noting(getattr(self.storage, name)))
            noting.start()
            self.addCleanup(noting.stop)

    def noting(self, give: Any) -> Any:
        """Return what notes work, and hands it on."""

        def noted(work: Any, promise: Promise[Any]) -> None:
            give(work, promise)
            self.given.append(promise)

        return noted

    def leave(self, head: bytes) -> None:
        """Send a request and go away when it has arrived."""
        host, port = self.server.url.removeprefix("http://").split(":")
        waiting = self.waiting()
        with socket.create_connection((host, int(port)), timeout=SOON) as connection:
            connection.sendall(head)
            self.until(lambda: self.waiting() > waiting)

    def waiting(self) -> int:
        """Return how much work of requests is not done."""
        return sum(not promise.waiter.done() for promise in self.given)

    def until(self, condition: Any) -> None:
        """Wait for something."""
        deadline = Deadline(SOON)
        while not condition():
            self.assertFalse(deadline.passed())
            time.sleep(1 * MS)

    def test_change(self) -> None:
        """What it wanted changed and had not begun is not done."""
        before = self.length()
        self.hold(self.storage.write)
        body = b'[{"d":1}]'
        head = b"POST /api/v1/crud/test/user/s/data?apikey=%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        self.leave(head % (self.key.encode(), len(body)) + body)
        self.until(lambda: self.waiting() == 0)
        self.release()
        self.assertEqual(self.length(), before)

    def test_read(self) -> None:
        """What it wanted to read and had not begun is not read."""
        self.hold(self.storage.read, self.storage.read)
        self.leave(b"GET /api/v1/?q=this&apikey=%s HTTP/1.1\r\nHost: x\r\n\r\n" % self.key.encode())
        self.until(lambda: self.waiting() == 0)

    def test_long_read(self) -> None:
        """A long answer is read no further."""
        self.send("POST", "/crud/test/user/long", {})
        points = [{"t": float(t), "d": "x" * 1000} for t in range(1, 5001)]
        for start in range(2):
            self.send("PUT", "/crud/test/user/long/data", [{**p, "t": p["t"] + 5000 * start} for p in points])
        host, port = self.server.url.removeprefix("http://").split(":")
        head = b"GET /api/v1/crud/test/user/long/data?i1=0 HTTP/1.1\r\nHost: x\r\n" + LOGIN + b"\r\n"
        pages: list[int] = []
        real = data._Points.next

        def counted(points: Any, fetch: Any) -> bytes | None:
            pages.append(1)
            return real(points, fetch)

        with mock.patch.object(data._Points, "next", counted):
            with socket.socket() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.settimeout(SOON)
                connection.connect((host, int(port)))
                connection.sendall(head)
                self.assertTrue(connection.recv(1000))
            # others are answered at once, and of 40 pages only those were read for which the system had room
            for _ in range(50):
                self.assertEqual(self.send("GET", "/?q=this", auth=("", self.key)).text, "test/user")
        self.assertLess(len(pages), 30)
        self.until(lambda: self.waiting() == 0)
