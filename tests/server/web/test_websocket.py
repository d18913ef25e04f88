"""Websockets, with a foreign client on a real socket."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
import websocket as foreign

from connectordb.server.config import Config, WebSocket

from ...support.case import SOON, Case
from ...support.server import run_server

#: Impatient.
PING, PONG = 0.1, 0.8


class WebsocketCase(Case):
    """A server that is impatient, with a device and a stream."""

    settings = WebSocket(ping_seconds=PING, pong_seconds=PONG, close_seconds=0.2)

    def setUp(self) -> None:
        super().setUp()
        ends = contextlib.ExitStack()
        self.addCleanup(ends.close)
        self.server = ends.enter_context(run_server(config=Config(websocket=self.settings)))
        self.http = ends.enter_context(requests.Session())
        self.http.trust_env = False
        self.key = self.rest("GET", "/crud/test/user", auth=("test", "test")).json()["apikey"]
        self.rest("POST", "/crud/test/user/s", json={})

    def rest(self, verb: str, path: str, auth: Any = None, **options: Any) -> requests.Response:
        """Make a request, which must be answered well."""
        url = f"{self.server.url}/api/v1{path}"
        answer = self.http.request(verb, url, auth=auth or ("", self.key), timeout=SOON, **options)
        self.assertEqual(answer.status_code, 200, answer.text)
        return answer

    def insert(self, *values: Any) -> None:
        """Insert values by REST."""
        self.rest("PUT", "/crud/test/user/s/data", json=[{"d": value} for value in values])

    def open(self, **options: Any) -> foreign.WebSocket:
        """Open a websocket; it is closed with the test."""
        url = self.server.url.replace("http", "ws", 1) + f"/api/v1/websocket?apikey={self.key}"
        # what comes is decoded anyway; this library's own look at it takes seconds for what is large
        made = foreign.create_connection(url, timeout=SOON, skip_utf8_validation=True, **options)
        self.addCleanup(made.shutdown)
        return made

    def subscribed(self) -> foreign.WebSocket:
        """Open a websocket that is subscribed to the stream."""
        made = self.open()
        made.send(json.dumps({"cmd": "subscribe", "arg": "test/user/s"}))
        made.ping("done?")
        self.expect(made, foreign.ABNF.OPCODE_PONG)  # commands are obeyed in order
        return made

    def expect(self, made: foreign.WebSocket, opcode: int) -> bytes:
        """Return the payload of the next frame of a kind; the client answers pings by itself."""
        while True:
            got, frame = made.recv_data_frame(control_frame=True)
            if got == opcode:
                payload: bytes = frame.data
                return payload
            self.assertEqual(got, foreign.ABNF.OPCODE_PING)

    def ended(self, made: foreign.WebSocket) -> int | None:
        """Wait for the end; return the code of the close frame, if one came."""
        code = None
        deadline = time.monotonic() + SOON
        with contextlib.suppress(foreign.WebSocketConnectionClosedException, ConnectionError):
            while time.monotonic() < deadline:
                opcode, frame = made.recv_data_frame(control_frame=True)
                if opcode == foreign.ABNF.OPCODE_CLOSE:
                    code = struct.unpack("!H", frame.data[:2])[0] if frame.data else None
        self.assertLess(time.monotonic(), deadline, "the connection has not ended")
        return code


class Messages(WebsocketCase):
    """Subscribing and inserting."""

    settings = WebSocket()

    def test_there_and_back(self) -> None:
        """What is inserted over one connection arrives over another, in order."""
        listener, sender = self.subscribed(), self.open()
        for number in range(50):
            sender.send(json.dumps({"cmd": "insert", "arg": "test/user/s", "d": [{"t": number + 1, "d": number}]}))
        got = [json.loads(listener.recv()) for _ in range(50)]
        self.assertEqual([message["data"][0]["d"] for message in got], list(range(50)))

    def test_a_refused_subscribe(self) -> None:
        """It harms neither the connection nor its other subscriptions."""
        made = self.subscribed()
        for arg in ("test/user/nosuch", "test/user", "test", "", "a/b/c/d"):
            made.send(json.dumps({"cmd": "subscribe", "arg": arg}))
        made.send(json.dumps({"cmd": "subscribe", "arg": "test/user/s", "transform": "nosuch"}))
        made.send(json.dumps({"cmd": "insert", "arg": "test/user/nosuch", "d": [{"d": 1}]}))
        self.insert(1)
        self.insert(2)
        self.assertEqual([json.loads(made.recv())["data"][0]["d"] for _ in range(2)], [1, 2])

    def test_too_large(self) -> None:
        """A message over the limit is answered with 1009."""
        made = self.open()
        made.send("x" * (2**20 + 1))
        self.assertEqual(self.ended(made), 1009)

    def test_no_command(self) -> None:
        """What is no command ends the connection, with a reason."""
        for text in ("{bad", "[]"):
            made = self.open()
            made.send(text)
            self.assertEqual(self.ended(made), 1007)

    def test_a_broken_frame(self) -> None:
        """A frame that nobody may send ends the connection."""
        made = self.open()
        made.sock.sendall(b"\xf1\x80\0\0\0\0")
        self.assertEqual(self.ended(made), 1002)

    def test_close_is_answered(self) -> None:
        """With the same code, but for those that no frame may carry."""
        for code, answer in ((1001, 1001), (4999, 4999), (1006, 1002), (5000, 1002)):
            made = self.open()
            made.send(struct.pack("!H", code), foreign.ABNF.OPCODE_CLOSE)
            self.assertEqual(self.ended(made), answer, code)

    def test_bad_handshakes(self) -> None:
        """What is no websocket handshake gets the error body."""
        for headers, status in (({}, 426), ({"Upgrade": "websocket"}, 400)):
            url = f"{self.server.url}/api/v1/websocket"
            answer = self.http.get(url, auth=("", self.key), timeout=SOON, headers=headers)
            self.assertEqual((answer.status_code, answer.json()["code"]), (status, status))

    def test_server_stops(self) -> None:
        """A server that stops says so to everybody who listens, and ends soon."""
        both = self.subscribed(), self.open()
        begin = time.monotonic()
        self.server.close()
        self.assertLess(time.monotonic() - begin, SOON / 2)
        for made in both:
            self.assertEqual(self.ended(made), 1001)


class Bombs(WebsocketCase):
    """Commands that would become much larger than they are."""

    settings = WebSocket(message_brackets=5000, large_commands=1)

    def test_brackets(self) -> None:
        """A message of many empty lists or objects is not read, and the connection ended."""
        made = self.open()
        made.send('{"cmd":"insert","arg":"test/user/s","d":[' + "{}," * 5000 + "{}]}")
        self.assertEqual(self.ended(made), 1009)

    def test_large_ones(self) -> None:
        """Large commands of many connections are all obeyed, those with an id, too; a client that goes holds up nobody."""
        points = [{"t": number + 1, "d": "x" * 40} for number in range(500)]
        for number in range(6):
            made = self.open()
            path = f"test/user/large{number}"
            self.rest("POST", f"/crud/{path}", json={})
            made.send(json.dumps({"cmd": "insert", "arg": path, "d": points, **({"id": 1} if number % 2 else {})}))
            if number == 3:
                made.shutdown()
        for number in (0, 1, 2, 4, 5):
            asked = f"/crud/test/user/large{number}/data?q=length"
            self.eventually(lambda asked=asked: self.rest("GET", asked).text == "500", asked)  # type: ignore[misc]


class WithIds(WebsocketCase):
    """Commands that are answered, and subscriptions that know what they were told."""

    settings = WebSocket(waiting_bytes=512 * 1024)

    def ask(self, made: foreign.WebSocket, **command: Any) -> Any:
        """Give a command and return the next message."""
        made.send(json.dumps(command))
        return json.loads(made.recv())

    def test_commands(self) -> None:
        """Each is answered; a bad one is, too, and the connection stays."""
        made = self.open()
        for command, told in (
            ({"cmd": "insert", "arg": "test/user/s", "d": [{"t": 5}]}, {"stream": "test/user/s", "index": 0}),
            ({"cmd": "unsubscribe", "arg": "test/user/s"}, {"stream": "test/user/s"}),
            ({"cmd": "unsubscribe_all"}, {}),
        ):
            self.assertEqual(self.ask(made, id=[command].index(command), **command), {"id": 0, "ok": told})
        for command, code in (({"cmd": "subscribe", "arg": "no/such/s"}, 403), ({"cmd": 5}, 400), ({"d": [1]}, 400)):
            answer = self.ask(made, id="é", **command)
            self.assertEqual((answer["id"], set(answer["error"])), ("é", {"code", "msg", "ref"}))
            self.assertEqual(answer["error"]["code"], code)
        self.assertEqual(self.ask(made, cmd="subscribe", arg="test/user/s", id=1)["ok"]["index"], 1)
        self.insert("x")
        self.assertEqual(json.loads(made.recv())["index"], 1)
        made.send(json.dumps({"cmd": "subscribe", "arg": "test/user/s", "id": [1]}))
        self.assertEqual(self.ended(made), 1007)

    def test_deleted(self) -> None:
        """That the stream is gone is told at once; the connection goes on."""
        made = self.open()
        self.ask(made, cmd="subscribe", arg="test/user/s", id=1)
        self.rest("DELETE", "/crud/test/user/s")
        self.assertEqual(json.loads(made.recv()), {"stream": "test/user/s", "ended": "deleted"})
        self.rest("POST", "/crud/test/user/s", json={})
        self.insert(1)
        self.assertEqual(self.ask(made, cmd="subscribe", arg="test/user/s", id=2)["ok"]["index"], 1)

    def test_who_does_not_read(self) -> None:
        """Whoever reads late is not cut, and what he is told and what he has to fetch is all there is, in order."""
        slow = self.open(sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),))
        self.ask(slow, cmd="subscribe", arg="test/user/s", id=1)
        text, number = "x" * 250_000, 40  # more than the system's buffers hold
        for _ in range(number):
            self.insert(text)
        at, missed = 0, 0
        while at < number:
            told = json.loads(slow.recv())
            if "gap" in told:
                self.assertEqual(told["gap"][0], at)
                missed += told["gap"][1] - at
                at = told["gap"][1]
            else:
                self.assertEqual(told["index"], at)
                at += len(told["data"])
        self.assertTrue(0 < missed < number, missed)
        self.assertEqual(self.ask(slow, cmd="insert", arg="test/user/s", d=[{"d": 1}], id=2)["index"], number)

    def test_sixteen_writers(self) -> None:
        """Each of those who come while sixteen write is told every point from its start, as reading shows them."""
        records: list[list[Any]] = []
        total = sum(20 * (1 + number % 3) for number in range(16))

        def write(number: int) -> None:
            with requests.Session() as http:
                http.trust_env = False
                for count in range(20):
                    points = [{"t": count + 1, "d": [number, count, n]} for n in range(1 + number % 3)]
                    url = f"{self.server.url}/api/v1/crud/test/user/s/data"
                    answer = http.put(url, auth=("", self.key), timeout=SOON, json=points)
                    self.assertEqual(answer.text, "ok")

        def listen() -> None:
            made = self.open()
            record = [self.ask(made, cmd="subscribe", arg="test/user/s", id=1)]
            records.append(record)
            at = record[0]["ok"]["index"]
            while at < total:
                record.append(json.loads(made.recv()))
                at += len(record[-1]["data"])

        with ThreadPoolExecutor(24) as pool:
            works = [pool.submit(write, number) for number in range(16)] + [pool.submit(listen) for _ in range(4)]
            for future in works:
                future.result(SOON)
        stored = self.rest("GET", "/crud/test/user/s/data?i1=0&i2=0").json()
        self.assertEqual(len(stored), total)
        for start, *messages in records:
            at = start["ok"]["index"]
            for message in messages:
                self.assertEqual(message["index"], at)
                self.assertEqual(message["data"], stored[at : at + len(message["data"])])
                at += len(message["data"])
            self.assertEqual(at, total)

    def test_copies_at_once(self) -> None:
        """Of many copies of an insert under one key that come at once, one is made; all are answered alike."""

        def send(number: int) -> str:
            url = f"{self.server.url}/api/v1/crud/test/user/s/data"
            headers = {"Idempotency-Key": f"key-{number % 4}"}
            with requests.Session() as http:
                http.trust_env = False
                verb = "PUT" if number % 2 else "POST"
                body = [{"t": 7, "d": number % 4}]
                answer = http.request(verb, url, auth=("", self.key), timeout=SOON, json=body, headers=headers)
                return f"{answer.status_code} {answer.text}"

        with ThreadPoolExecutor(16) as pool:
            self.assertEqual(set(pool.map(send, range(64))), {"200 ok"})
        stored = self.rest("GET", "/crud/test/user/s/data?i1=0&i2=0").json()
        self.assertEqual(sorted(point["d"] for point in stored), [0, 1, 2, 3])


class KeepingAlive(WebsocketCase):
    """Pings, pongs, rights, and readers that do not read."""

    def test_pings(self) -> None:
        """The server pings; who answers stays."""
        made = self.subscribed()
        begin = time.monotonic()
        while time.monotonic() - begin < 2 * PONG:
            self.assertEqual(self.expect(made, foreign.ABNF.OPCODE_PING), b"")
        self.insert(5)
        self.assertIn(b'"d":5', self.expect(made, foreign.ABNF.OPCODE_TEXT))

    def test_no_pong(self) -> None:
        """Who does not answer is dropped in time, though it sends pings of its own."""
        made = self.open()
        made.pong = lambda payload="": None
        begin = time.monotonic()
        made.ping("me")
        self.assertEqual(self.ended(made), 1001)
        self.assertTrue(PONG * 0.8 < time.monotonic() - begin < PONG + 2)

    def test_rights_withdrawn(self) -> None:
        """A subscription to what is not there any more ends at a ping; the connection stays."""
        made = self.subscribed()
        self.rest("DELETE", "/crud/test/user/s")
        for _ in range(3):  # the rights are looked at after a ping; at the third, the first look is over
            self.expect(made, foreign.ABNF.OPCODE_PING)
        self.rest("POST", "/crud/test/user/s", json={})
        self.insert(1)
        made.ping("still there")
        # a text frame in between would fail this
        self.assertEqual(self.expect(made, foreign.ABNF.OPCODE_PONG), b"still there")


class SlowReaders(WebsocketCase):
    """Readers that do not read."""

    settings = WebSocket(ping_seconds=30.0, pong_seconds=60.0, close_seconds=0.2)

    def test_dropped(self) -> None:
        """Who does not read is dropped, not buffered for; others are not held up."""
        slow = self.subscribed()
        text = "x" * 1_000_000
        with self.assertLogs("connectordb.server.web.websocket", "WARNING"):
            for _ in range(40):
                self.insert(text)
        fast = self.subscribed()
        self.insert("quick")
        self.assertIn("quick", fast.recv())
        self.ended(slow)

    def test_stop(self) -> None:
        """A server with a subscriber who does not read, and is not to be dropped yet, stops in time and without complaint."""
        slow = self.open(sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),))
        slow.send(json.dumps({"cmd": "subscribe", "arg": "test/user/s"}))
        slow.ping()
        self.expect(slow, foreign.ABNF.OPCODE_PONG)
        for _ in range(10):
            self.insert("x" * 1_000_000)
        begin = time.monotonic()
        with self.assertNoLogs("connectordb", "ERROR"):
            self.server.close()
        self.assertLess(time.monotonic() - begin, SOON)
