"""HTTP: whatever is sent, there is an answer in the wire's shape."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
from typing import Any
from unittest import mock

import requests

from connectordb.protocol.constants import COLUMNS
from connectordb.protocol.features import HEADER, Features
from connectordb.protocol.ranges import read_parameters
from connectordb.runtime.clock import Deadline
from connectordb.server import Server
from connectordb.server.config import MIB, Config, Limits
from connectordb.server.handlers import data
from connectordb.server.handlers.stretches import WentAway
from connectordb.server.routing import Route
from connectordb.server.web import answers, app, failures

from ...frames.cases import needs_frames
from ...support.case import SOON, Case
from ...support.server import run_server


class AppCase(Case):
    """A test case with a server, shared by the tests of a class."""

    server: Server
    ends: contextlib.ExitStack

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.ends = contextlib.ExitStack()
        cls.server = cls.ends.enter_context(run_server())
        cls.addClassCleanup(cls.ends.close)

    def setUp(self) -> None:
        super().setUp()
        self.http = requests.Session()
        self.http.trust_env = False
        self.addCleanup(self.http.close)

    def send(self, verb: str, path: str, body: Any = None, auth: Any = ("test", "test"), **options: Any) -> Any:
        """Make a request; *body* is sent as JSON unless it is bytes."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        url = f"{self.server.url}/api/v1{path}"
        return self.http.request(verb, url, data=sent, auth=auth, timeout=SOON, allow_redirects=False, **options)

    def is_error(self, answer: Any, status: int) -> None:
        """Check the error body."""
        self.assertEqual(answer.status_code, status, answer.text)
        told = answer.json()
        self.assertEqual((set(told), told["code"]), ({"code", "msg", "ref"}, status))
        self.assertTrue(told["msg"] and told["ref"])
        self.assertTrue(answer.headers["Content-Type"].startswith("application/json"))
        self.assertTrue(Features.parse(answer.headers[HEADER]).durable)

    def raw(self, *parts: bytes) -> bytes:
        """Send bytes and return all that comes until the server closes."""
        host, port = self.server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=SOON) as connection:
            for part in parts:
                connection.sendall(part)
            received = b""
            while part := connection.recv(65536):
                received += part
            return received


class Answers(AppCase):
    """Headers and shapes of answers."""

    def test_headers(self) -> None:
        """Every answer says what the server can do, and what browsers must not do."""
        for verb, path, status in (("GET", "/?q=this", 200), ("GET", "/nosuch", 404), ("GET", "/crud/test/", 301)):
            answer = self.send(verb, path)
            self.assertEqual(answer.status_code, status)
            self.assertTrue(Features.parse(answer.headers[HEADER]).durable)
            self.assertEqual(answer.headers["X-Frame-Options"], "deny")
            self.assertEqual(answer.headers["Server"], "ConnectorDB")
        self.assertEqual(self.send("GET", "/?q=this").headers.get("Cache-Control"), None)
        self.assertIn("no-store", self.send("GET", "/crud/test").headers["Cache-Control"])

    def test_other_origins(self) -> None:
        """A page of another origin may ask, but nothing goes along that it does not have itself."""
        headers = self.send("GET", "/?q=this", headers={"Origin": "http://example.com"}).headers
        self.assertEqual(headers["Access-Control-Allow-Origin"], "*")
        self.assertNotIn("Access-Control-Allow-Credentials", headers)
        preflight = self.send("OPTIONS", "/crud/test", auth=None)
        self.assertEqual(preflight.status_code, 200)
        self.assertIn("PUT", preflight.headers["Access-Control-Allow-Methods"])

    def test_meta_needs_no_credentials(self) -> None:
        """What is known about the server is told to anybody, wrong credentials or not."""
        self.assertEqual(self.send("GET", "/meta/version", auth=("test", "wrong")).text, "0.3.0")

    def test_head(self) -> None:
        """HEAD answers as GET does, without a body."""
        answer = self.send("HEAD", "/?q=this")
        self.assertEqual((answer.status_code, answer.text), (200, ""))

    @needs_frames
    def test_columns(self) -> None:
        """Who accepts columns gets numbers as such, with their length; who does not gets JSON."""
        self.send("POST", "/crud/test/user/columns", {})
        self.send("POST", "/crud/test/user/columns/data", [{"t": 1.5, "d": 2}, {"t": 2.5, "d": 3}])
        path = "/crud/test/user/columns/data?i1=0"
        for accept, kind in (
            (COLUMNS, COLUMNS),
            (f"{COLUMNS}, */*;q=0.5", COLUMNS),
            ("application/json", "application/json; charset=utf-8"),
            ("*/*", "application/json; charset=utf-8"),
        ):
            with self.subTest(accept):
                answer = self.send("GET", path, headers={"Accept": accept})
                self.assertEqual((answer.status_code, answer.headers["Content-Type"]), (200, kind))
                self.assertEqual(int(answer.headers["Content-Length"]), len(answer.content))
        self.is_error(self.send("GET", "/crud/test/user/nosuch/data?i1=0", headers={"Accept": COLUMNS}), 403)


class Malformed(AppCase):
    """Whatever is sent, there is an error body: never a hang, never a 500."""

    def test_bodies(self) -> None:
        """Bodies that are no JSON, or the wrong JSON, on every route that takes one."""
        self.send("POST", "/crud/test/user/s", {})
        bodies = (b"", b"{", b"[1", b"\xff\xfe", b"\x00", b"[NaN]", b"[" * 100_000, b'"\\ud800"', b"[[[[]]]]", b"5")
        routes = (
            *(("POST", "/crud/new"), ("POST", "/crud/test/new"), ("POST", "/crud/test/user/new")),
            *(("PUT", "/crud/test"), ("PUT", "/crud/test/user"), ("PUT", "/crud/test/user/s")),
            *(("POST", "/crud/test/user/s/data"), ("PUT", "/crud/test/user/s/data"), ("POST", "/query/merge")),
        )
        for verb, path in routes:
            for body in bodies:
                with self.subTest(verb=verb, path=path, body=body[:10]):
                    self.is_error(self.send(verb, path, body), 400)

    def test_compressed(self) -> None:
        """A compressed body is no JSON."""
        self.send("POST", "/crud/test/user/z", {})
        answer = self.send("POST", "/crud/test/user/z/data", b"\x1f\x8b\x08\x00", headers={"Content-Encoding": "gzip"})
        self.is_error(answer, 400)

    def test_too_long(self) -> None:
        """A body beyond the limit is refused, announced or not, and the server goes on."""
        self.send("POST", "/crud/test/user/big", {})
        body = b"[" + b" " * 2000 + b"]"
        url = "/api/v1/crud/test/user/big/data"
        with run_server(config=Config(limits=Limits(body_bytes=1024))) as other:
            for sent in (body, iter([body[:500], body[500:]])):
                answer = self.http.post(other.url + url, data=sent, auth=("test", "test"), timeout=SOON)
                self.is_error(answer, 413)
                self.assertIn("1024 bytes", answer.json()["msg"])
        self.assertEqual(self.send("POST", "/crud/test/user/big/data", body).text, "ok")

    def test_no_http(self) -> None:
        """What is no HTTP is told so, with the error body."""
        for sent in (b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /api/v1/ HTTP/1.1\r\nbad header\r\n\r\n"):
            with self.subTest(sent):
                head, _, body = self.raw(sent).partition(b"\r\n\r\n")
                self.assertRegex(head, rb"\AHTTP/1\.\d 400 ")
                self.assertEqual(json.loads(body)["code"], 400)
                self.assertIn(b"X-Frame-Options", head)

    def test_broken_off(self) -> None:
        """A body that breaks off stores nothing and harms nobody."""
        self.send("POST", "/crud/test/user/cut", {})
        login = base64.b64encode(b"test:test")
        head = b"POST /api/v1/crud/test/user/cut/data HTTP/1.1\r\nHost: x\r\nAuthorization: Basic " + login
        host, port = self.server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=SOON) as connection:
            connection.sendall(head + b'\r\nContent-Length: 100\r\n\r\n[{"t":1,"d":1}]')
        answer = self.raw(head + b"\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nnonsense\r\n\r\n")
        self.assertIn(b" 400 ", answer.partition(b"\r\n")[0])
        self.assertEqual(self.send("GET", "/crud/test/user/cut/data?q=length").text, "0")

    def test_odd_urls(self) -> None:
        """Odd paths and parameters are refused, not tripped over."""
        for path in (
            "/crud/%FF%FE",
            "/crud/a%00b",
            "/crud/%F0%9F%98%80/x/y",
            "/crud/test/user?q=%FF",
            "/?q=%00",
            "/crud/a%0Ab",
        ):
            with self.subTest(path):
                answer = self.send("GET", path)
                self.is_error(answer, answer.status_code)
                self.assertIn(answer.status_code, (400, 404))

    def test_credentials(self) -> None:
        """Odd credentials are wrong or none."""
        for header, status in (
            *(("Basic", 200), ("Basic !!!", 200), ("Bearer x", 200), ("Basic Og==", 401), ("Basic /////w==", 200)),
            ("Basic " + base64.b64encode(b"x" * 10_000 + b":y").decode(), 401),
        ):
            with self.subTest(header[:20]):
                answer = self.send("GET", "/?q=this", auth=None, headers={"Authorization": header})
                self.assertEqual(answer.status_code, status)


class Failing(AppCase):
    """What goes wrong below the handlers."""

    def test_a_bug(self) -> None:
        """An error of our own is a 500 with a reference that the log repeats, and says nothing more."""
        broken = Route("read", mock.Mock(side_effect=ZeroDivisionError("secret")))
        with mock.patch.object(app, "route", return_value=broken), self.assertLogs(failures.log, "ERROR") as logs:
            answer = self.send("GET", "/x")
        self.is_error(answer, 500)
        self.assertNotIn("secret", answer.text)
        self.assertIn(answer.json()["ref"], logs.output[0])
        self.assertIn("ZeroDivisionError", logs.output[0])


class LongReads(AppCase):
    """Reads that do not fit into one page."""

    def test_streamed(self) -> None:
        """All points arrive, in order, in an answer whose length nobody knew before."""
        self.send("POST", "/crud/test/user/long", {})
        points = [{"t": float(t), "d": t} for t in range(1, 20_001)]
        self.assertEqual(self.send("POST", "/crud/test/user/long/data", points).text, "ok")
        parameters = read_parameters({})
        answer = self.send("GET", "/crud/test/user/long/data", params=parameters)
        self.assertNotIn("Content-Length", answer.headers)
        self.assertEqual([point["d"] for point in answer.json()], list(range(1, 20_001)))
        self.assertEqual(self.send("HEAD", "/crud/test/user/long/data", params=parameters).text, "")

    def test_cut_off(self) -> None:
        """If it cannot be finished the client sees that it is not whole."""
        self.send("POST", "/crud/test/user/torn", {})
        points = [{"t": float(t), "d": t} for t in range(1, 20_001)]
        self.send("POST", "/crud/test/user/torn/data", points)

        real = data._Points.next
        calls = iter((real,))

        def next_page(self: Any, reader: Any) -> bytes | None:
            try:
                return next(calls)(self, reader)
            except StopIteration:
                raise LookupError("gone") from None

        def gone(self: Any, reader: Any) -> bytes | None:
            try:
                return next(calls)(self, reader)
            except StopIteration:
                raise WentAway from None

        with mock.patch.object(data._Points, "next", next_page), self.assertLogs(answers.log, "ERROR"):
            with self.assertRaises(requests.RequestException):
                self.send("GET", "/crud/test/user/torn/data?i1=0")
        # deleted while it was read is nothing to be worried about, and needs no traceback
        calls = iter((real,))
        with mock.patch.object(data._Points, "next", gone), self.assertLogs(answers.log, "INFO") as logged:
            with self.assertRaises(requests.RequestException):
                self.send("GET", "/crud/test/user/torn/data?i1=0")
        self.assertEqual([(record.levelname, record.exc_info) for record in logged.records], [("INFO", False)])


class Bounded(AppCase):
    """What anybody can send does not pile up."""

    def test_bodies_at_once(self) -> None:
        """Beyond a limit, those who send bodies are asked to come again, strangers first; then it goes on."""
        size = 600_000
        head = b"POST /api/v1/crud/test HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
        with run_server(config=Config(limits=Limits(bodies_bytes=8 * MIB, anonymous_bytes=2 * MIB))) as other:
            url = f"{other.url}/api/v1/crud/test"
            host, port = other.url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port)), timeout=SOON) as slow:
                slow.sendall(head + b" " * (size - 1))
                # both need not have been read by now: one of them is refused
                answer = self.http.post(url, data=b" " * (MIB + 1), timeout=SOON)
                self.is_error(answer, 503)
                self.assertIn("Retry-After", answer.headers)
                answer = self.http.post(url, data=b" " * (MIB + 1), auth=("test", "test"), timeout=SOON)
                self.assertEqual(answer.status_code, 400)
            deadline = Deadline(SOON)
            while self.http.post(url, data=b" " * size, timeout=SOON).status_code == 503:
                self.assertFalse(deadline.passed())

    def test_log_lines(self) -> None:
        """What is in a path stays on its line of the log, and no key gets there."""
        with self.assertLogs(app.log, "DEBUG") as logged:
            self.send("GET", "/crud/a%0aERROR%20forged?apikey=secret", auth=None)
        self.assertFalse([line for line in logged.output if "\n" in line or "secret" in line], logged.output)
