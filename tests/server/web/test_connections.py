"""HTTP connections: clients that are slow, silent or greedy are ended, and do not hold up the server."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests

from connectordb.server import Server
from connectordb.server.config import Config, Limits

from ...support.case import MS, SOON, Case
from ...support.server import run_server

LOGIN = b"Authorization: Basic " + base64.b64encode(b"test:test") + b"\r\n"
#: A request that does not end.
BEGUN = b"GET /health HTTP/1.1\r\nHost: x\r\n"
PING = b"GET /api/v1/?q=this HTTP/1.1\r\nHost: x\r\n\r\n"
PING_LAST = PING.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

#: Seconds in which a server stops, whatever its clients do.
AT_ONCE = 2000 * MS


class ConnectionCase(Case):
    """A server with some limits, and clients on plain sockets."""

    server: Server

    @contextmanager
    def limited(self, **limits: Any) -> Iterator[None]:
        """Have a server with these limits."""
        with run_server(config=Config(limits=Limits(**limits))) as self.server, requests.Session() as self.http:
            self.http.trust_env = False
            yield

    def client(self, *sent: bytes, buffer: int | None = None) -> socket.socket:
        """Return a connection on which something was sent; it is closed with the test."""
        made = socket.socket()
        self.addCleanup(made.close)
        if buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        made.settimeout(SOON)
        host, port = self.server.url.removeprefix("http://").split(":")
        made.connect((host, int(port)))
        for part in sent:
            made.sendall(part)
        return made

    def rest(self, client: socket.socket) -> bytes:
        """Return all that comes until the server closes."""
        received = b""
        try:
            while part := client.recv(65536):
                received += part
        except ConnectionError:
            pass  # cut, not closed
        return received

    def status(self, answer: bytes) -> int:
        """Return the status of an answer, whose body is the usual one if it is an error."""
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        if status >= 400:
            self.assertEqual(json.loads(body)["code"], status)
        return status

    def large(self) -> None:
        """Make a stream that takes long to read."""
        url, auth = f"{self.server.url}/api/v1/crud/test/user/large", ("test", "test")
        self.http.post(url, json={}, auth=auth, timeout=SOON)
        points = [{"t": t, "d": "x" * 100_000} for t in range(1, 91)]  # more than the system holds for a connection
        self.assertEqual(self.http.post(f"{url}/data", json=points, auth=auth, timeout=SOON).text, "ok")

    def read_large(self, buffer: int = 4096) -> socket.socket:
        """Return a client that asked for all of it, and reads nothing."""
        return self.client(
            b"GET /api/v1/crud/test/user/large/data?i1=0&i2=0 HTTP/1.1\r\nConnection: close\r\nHost: x\r\n"
            + LOGIN
            + b"\r\n",
            buffer=buffer,
        )


class SlowTests(ConnectionCase):
    """Deadlines."""

    def test_silent(self) -> None:
        """Who says nothing, or never comes to the end of a header, is told that it took too long."""
        with self.limited(header_seconds=500 * MS):
            half = b"GET /api/v1/?q=this HTTP/1.1\r\nHost: x\r\n"
            clients = [self.client(), self.client(half)]
            for sent in (b"G", half):
                again = self.client(PING)
                self.assertIn(b"200 OK", again.recv(65536))
                again.sendall(sent)
                clients.append(again)
            begin = time.monotonic()
            for client in clients:
                answer = self.rest(client)
                self.assertEqual(self.status(answer[answer.rindex(b"HTTP/1.1 ") :]), 408)
            self.assertLess(time.monotonic() - begin, SOON / 2)

    def test_drop_by_drop(self) -> None:
        """A byte now and then does not help."""
        with self.limited(header_seconds=200 * MS):
            client = self.client(b"GET / HTTP/1.1\r\n")

            def ended() -> bool:
                try:
                    client.sendall(b"X: y\r\n")
                except ConnectionError:
                    return True
                return False

            self.eventually(ended)

    def test_body(self) -> None:
        """A body that does not come in time is a 400, as on a 0.3 server."""
        with self.limited(body_seconds=200 * MS):
            head = b"POST /api/v1/crud/test/user/s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n" + LOGIN
            answer = self.rest(self.client(head + b"\r\n{"))
            self.assertEqual(self.status(answer), 400)
            self.assertIn(b"did not arrive within 0.2 s", answer)

    def test_idle(self) -> None:
        """A connection that nobody uses is closed."""
        with self.limited(idle_seconds=200 * MS, header_seconds=SOON):
            answer = self.rest(self.client(PING))
            self.assertEqual((self.status(answer), answer.count(b"HTTP/1.1")), (200, 1))

    def test_not_reading(self) -> None:
        """Who does not read an answer is cut off; who reads slowly is not."""
        with self.limited(answer_seconds=800 * MS):
            self.large()
            stuck = self.read_large()
            self.eventually(lambda: self._is_cut(stuck))
            slow = self.read_large(1 << 16)
            received = 0
            while part := slow.recv(1 << 16):
                received += len(part)
            self.assertGreater(received, 9_000_000)

    def _is_cut(self, client: socket.socket) -> bool:
        try:
            client.sendall(b"\r\n")
        except ConnectionError:
            return True
        return False


class GreedyTests(ConnectionCase):
    """Bounds."""

    def test_connections(self) -> None:
        """When there are too many, the next one is told to come later; then there is room again."""
        for bound in ({"connections": 3}, {"connections_per_address": 3}):
            with self.subTest(bound), self.limited(**bound):
                inside = [self.client(PING) for _ in range(3)]
                for client in inside:
                    self.assertIn(b"200 OK", client.recv(65536))
                answer = self.rest(self.client(PING))
                self.assertEqual(self.status(answer), 503)
                self.assertIn(b"Retry-After: ", answer)
                for client in inside:
                    client.close()
                self.eventually(lambda: b"200 OK" in self.client(PING).recv(65536))

    def test_pipelined(self) -> None:
        """Some requests may be sent ahead, and are answered in order; more of them end the connection."""
        with self.limited(pipelined_requests=10):
            client = self.client(PING * 8 + PING_LAST)
            self.assertEqual(self.rest(client).count(b"200 OK"), 9)
            self.assertLess(self.rest(self.client(PING * 1000)).count(b"200 OK"), 1000)
            self.assertIn(b"200 OK", self.client(PING).recv(65536))

    def test_ahead(self) -> None:
        """What is sent behind a request that takes long is not read without bound."""
        with self.limited(line_bytes=1024):
            self.large()
            client = self.read_large()
            self.assertIn(b"200 OK", client.recv(500))  # it has begun
            client.settimeout(300 * MS)
            sent = 0
            with self.assertRaises(TimeoutError):
                while sent < 1 << 26:
                    sent += client.send(b"x" * 65536)

    def test_headers(self) -> None:
        """Headers that are short enough each, but too long together, are refused before they end."""
        header = b"X: " + b"x" * 1000 + b"\r\n"
        with self.limited(line_bytes=2048, headers_bytes=8192):
            self.assertEqual(self.status(self.rest(self.client(BEGUN + header * 7, b"\r\n" + PING_LAST))), 200)
            self.assertEqual(self.status(self.rest(self.client(BEGUN, header * 9))), 431)
            body = b"[]" + b" " * 20_000  # is none of them
            sent = BEGUN.replace(b"GET /health", b"POST /api/v1/query/merge") + LOGIN + b"Content-Length: 20002\r\n"
            client = self.client(sent + b"Connection: close\r\n\r\n", body[:9000], body[9000:])
            self.assertEqual(self.status(self.rest(client)), 200)
            # nor is there more room behind a body whose sender is not known yet
            password = base64.b64encode(b"test:wrong")
            first = sent.replace(base64.b64encode(b"test:test"), password).replace(b"20002", b"70000")
            client = self.client(first + b"\r\n" + b" " * 70_000, BEGUN)
            client.settimeout(300 * MS)
            sizes = []
            with self.assertRaises((TimeoutError, ConnectionError)):
                while sum(sizes) < 1 << 26:
                    sizes.append(client.send(header * 60))

    def test_pieces_of_secrets(self) -> None:
        """The log says why something is no request, and nothing of what it was: a piece of a key does not look like one."""
        pieces = (
            (b"Authorization: Basic geh", b"eim\x01\r\n\r\n"),
            (b"Cookie: connectordb-sess", b"ion=eim\x01\r\n\r\n"),
        )
        with self.limited():
            for first, second in pieces:
                with self.assertLogs("connectordb.server.web.connections", "INFO") as logged:
                    client = self.client(BEGUN + first)
                    self.pause()
                    client.sendall(second)
                    self.assertEqual(self.status(self.rest(client)), 400)
                self.assertNotIn("eim", "".join(logged.output))

    def pause(self) -> None:
        """Let what was sent arrive by itself."""
        self.assertFalse(threading.Event().wait(20 * MS))

    def test_line(self) -> None:
        """A line or a header that is too long is refused."""
        with self.limited(line_bytes=1024):
            for sent in (b"GET /?apikey=geheim" + b"x" * 3000, b"GET /api/v1/?q=this HTTP/1.1\r\nX: " + b"x" * 3000):
                with self.subTest(sent[:20]), self.assertLogs("connectordb.server.web.connections", "INFO") as logged:
                    answer = self.rest(self.client(sent + b"\r\n\r\n"))
                    self.assertIn(self.status(answer), (400, 414, 431))
                self.assertIn(json.loads(answer.partition(b"\r\n\r\n")[2])["ref"], logged.output[0])
                self.assertNotIn("geheim", logged.output[0])


class StoppingTests(ConnectionCase):
    """Whatever clients do, the server stops soon, and what it began is finished."""

    def stops(self, prepare: Callable[[], Any]) -> None:
        """Stop a server whose clients are as they are after *prepare*."""
        with self.limited():
            self.large()
            kept = prepare()
            begin = time.monotonic()
            self.server.close()
            self.assertLess(time.monotonic() - begin, AT_ONCE)
            del kept

    def test_not_reading(self) -> None:
        """Clients that do not read their answers."""
        clients: list[socket.socket] = []

        def prepare() -> None:
            for _ in range(3):
                clients.append(self.read_large())
                self.assertIn(b"200 OK", clients[-1].recv(500))  # it has begun

        self.stops(prepare)

    def test_half_a_request(self) -> None:
        """Clients with half a header, half a body, or nothing."""
        head = b"POST /api/v1/crud/test/user/s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n"
        clients: list[socket.socket] = []

        def prepare() -> None:
            clients.extend(self.client(*sent) for sent in ((), (b"GET /",), (PING, b"GET")))
            clients.append(self.client(head + LOGIN + b"\r\n"))
            self.assertIn(b"100 Continue", clients[-1].recv(500))
            clients[-1].sendall(b"{")

        self.stops(prepare)

    def test_websockets(self) -> None:
        """Websockets are told 1001; those that do not answer are not waited for."""
        key = base64.b64encode(b"k" * 16)
        hello = b"GET /api/v1/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        hello += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n" + LOGIN + b"\r\n"
        clients: list[socket.socket] = []

        def prepare() -> None:
            for _ in range(3):
                clients.append(self.client(hello))
                self.assertIn(b" 101 ", clients[-1].recv(65536))

        self.stops(prepare)
        for client in clients:
            self.assertIn(b"\x03\xe9", self.rest(client))

    def test_refused(self) -> None:
        """While it stops, who comes is told so, with when to come again."""
        with self.limited():
            self.large()
            reading = self.client(
                b"GET /api/v1/crud/test/user/large/data?i1=0&i2=0 HTTP/1.1\r\nHost: x\r\n" + LOGIN + b"\r\n",
                buffer=4096,
            )
            self.assertIn(b"200 OK", reading.recv(1000))
            server = self.server
            assert server._loop is not None and server._stop is not None
            server._loop.call_soon_threadsafe(server._stop.set)
            answers: list[bytes] = []

            def refused() -> bool:
                answers.append(self.rest(self.client(PING)))
                return b" 503 " in answers[-1]

            self.eventually(refused)
            self.assertEqual(self.status(answers[-1]), 503)
            self.assertIn(b"Retry-After", answers[-1])
            self.assertIn(b"shutting down", answers[-1])

    def test_an_end(self) -> None:
        """For as long as is configured, and no longer."""
        with self.limited(shutdown_seconds=0.0):
            self.large()
            client = self.read_large(1 << 16)
            received = client.recv(1000)
            self.server.close()
            received += self.rest(client)
            self.assertFalse(received.endswith(b"0\r\n\r\n"))

    def test_long_answers_are_finished(self) -> None:
        """A client that reads gets all of what it asked for before."""
        with self.limited():
            self.large()
            client = self.read_large(1 << 16)
            received = client.recv(1000)
            server = self.server
            assert server._loop is not None and server._stop is not None
            server._loop.call_soon_threadsafe(server._stop.set)
            received += self.rest(client)
            self.assertTrue(received.endswith(b"]\r\n0\r\n\r\n"), received[-50:])
