"""Subscriptions against a real server: callbacks, transforms, downlinks and their acknowledgement, ends."""

from __future__ import annotations

import base64
import functools
import os
import threading
import time
import unittest
import uuid
from typing import Any

import requests

from connectordb.exceptions import ClosedError, InvalidRequest, LocalProtocolError, NotFound, PermissionDenied, Timeout
from connectordb.live import Live, check_insert
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from tests.support.case import SOON, Case

#: A running server with the administrator ``test``, password ``test``.
SERVER = os.environ.get("CONNECTORDB_TEST_URL", "http://localhost:3124")


class Caller:
    """One device's REST access, by hand, with the `Live` that is tested."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.session = requests.Session()
        self.session.auth = ("", key)
        self.authorization = "Basic " + base64.b64encode(f":{key}".encode()).decode()
        self.lock = threading.Lock()
        self.inserts: list[str] = []

    def call(self, request: rest.Request[Any]) -> Any:
        """Send a request."""
        with self.lock:
            if request.inserts:
                self.inserts.append(f"{request.method} {request.path}")
            reply = self.session.request(
                request.method,
                f"{SERVER}/api/v1{request.path}",
                params=dict(request.parameters),
                data=request.body,
                timeout=SOON,
            )
        return request.read(rest.Reply(reply.status_code, reply.content, reply.headers))

    def live(self, timeout: float = SOON) -> Live:
        """Return a `Live`."""
        return Live(
            SERVER, authorization=lambda: self.authorization, call=self.call, caller=lambda: self.path, timeout=timeout
        )

    def insert(self, path: Path, *values: Any) -> None:
        """Insert values, as a user's call does."""
        check_insert(path, self.path)
        self.call(rest.insert(path, [{"t": time.time(), "d": value} for value in values], restamp=True))

    def read(self, path: Path) -> list[Any]:
        """Return all values."""
        return [point["d"] for point in self.call(rest.points(path, {"i1": "0", "i2": "0"}))]


class Record:
    """A callback that remembers, and returns what it is told to."""

    def __init__(self, returns: Any = None) -> None:
        self.calls: list[tuple[str, list[dict[str, Any]]]] = []
        self.errors: list[Exception] = []
        self.returns = returns

    def __call__(self, path: str, points: list[dict[str, Any]]) -> Any:
        self.calls.append((path, points))
        return self.returns

    @property
    def values(self) -> list[Any]:
        """The values that came."""
        return [point["d"] for _, points in self.calls for point in points]


@functools.cache
def _administrator_key() -> str:
    """Return the administrator's key: a password costs the server a slow hash at every request."""
    answer = requests.get(f"{SERVER}/api/v1/crud/test/user", auth=("test", "test"), timeout=SOON)
    return str(answer.json()["apikey"])


class LiveCase(Case):
    """A fresh user with the devices ``user`` and ``lamp``; the latter has the streams ``light`` and ``heat``."""

    def setUp(self) -> None:
        super().setUp()
        name = "l" + uuid.uuid4().hex[:12]
        admin = requests.Session()
        self.addCleanup(admin.close)
        admin.auth = ("", _administrator_key())
        tree = {
            "email": f"{name}@example.com",
            "password": "secret",
            "role": "user",
            "devices": {"lamp": {"streams": {"light": {"downlink": True}, "heat": {}}, "enabled": True}},
        }
        answer = admin.post(f"{SERVER}/api/v1/crud/{name}", json=tree, timeout=SOON)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.addCleanup(lambda: admin.delete(f"{SERVER}/api/v1/crud/{name}", timeout=SOON))
        self.user = self.caller(admin, Path.parse(f"{name}/user"))
        self.lamp = self.caller(admin, Path.parse(f"{name}/lamp"))
        self.light = self.lamp.path / "light"
        self.heat = self.lamp.path / "heat"
        self.live = self.open(self.lamp)

    def caller(self, admin: requests.Session, path: Path) -> Caller:
        """Return the access of a device."""
        key = admin.get(f"{SERVER}/api/v1/crud/{path}", timeout=SOON).json()["apikey"]
        caller = Caller(path, key)
        self.addCleanup(caller.session.close)
        return caller

    def open(self, caller: Caller, timeout: float = SOON) -> Live:
        """Return a `Live` that ends with the test."""
        live = caller.live(timeout)
        self.addCleanup(live.close)
        return live


class StreamTests(LiveCase):
    """Plain streams."""

    def test_every_point(self) -> None:
        """Whatever is inserted once subscribe has returned is handed on, in order, with time and value."""
        record = Record()
        self.live.subscribe(self.heat, record)
        for number in range(20):
            self.lamp.call(
                rest.insert(self.heat, [{"t": 1000.5 + number, "d": number}, {"t": 1001.0 + number, "d": None}])
            )
        self.eventually(lambda: len(record.calls) == 20)
        self.assertEqual({path for path, _ in record.calls}, {str(self.heat)})
        self.assertEqual(record.calls[3][1], [{"t": 1003.5, "d": 3}, {"t": 1004.0, "d": None}])
        self.assertEqual(record.values[::2], list(range(20)))

    def test_large(self) -> None:
        """A message of a few hundred kilobytes, which the server sends in many frames."""
        record, text = Record(), "žluťoučký kůň " * 20_000
        self.live.subscribe(self.heat, record)
        self.lamp.insert(self.heat, text)
        self.eventually(lambda: record.values == [text])

    def test_several_callbacks(self) -> None:
        """A second replaces the first; with add=True both are called; each may be closed by itself."""
        first, second, third = Record(), Record(), Record()
        self.live.subscribe(self.heat, first)
        self.live.subscribe(self.heat, second)
        added = self.live.subscribe(self.heat, third, add=True)
        self.lamp.insert(self.heat, 1)
        self.eventually(lambda: second.values == third.values == [1])
        added.close()
        added.close()
        self.lamp.insert(self.heat, 2)
        self.eventually(lambda: second.values == [1, 2])
        self.assertEqual((first.values, third.values), ([], [1]))

    def test_two_streams(self) -> None:
        """Each callback gets its own stream's points."""
        heat, light = Record(), Record()
        self.live.subscribe(self.heat, heat)
        self.live.subscribe(self.light, light)
        self.lamp.insert(self.light, "on")
        self.lamp.insert(self.heat, 20)
        self.eventually(lambda: heat.values and light.values)
        self.assertEqual((heat.values, light.values), ([20], ["on"]))

    def test_unsubscribe(self) -> None:
        """Afterwards nothing comes; where there is none, nothing happens."""
        record, other = Record(), Record()
        self.live.subscribe(self.heat, record)
        self.live.subscribe(self.light, other)
        self.live.unsubscribe(self.heat)
        self.live.unsubscribe(self.heat)
        self.live.unsubscribe(self.heat, "nothing")
        self.lamp.insert(self.heat, 1)
        self.lamp.insert(self.light, 1)
        self.eventually(lambda: other.values)
        self.assertEqual(record.values, [])
        self.live.subscribe(self.heat, record)
        self.lamp.insert(self.heat, 2)
        self.eventually(lambda: record.values == [2])

    def test_refused(self) -> None:
        """What is no stream, is not there, or is not for the caller; the connection is none the worse."""
        record = Record()
        self.live.subscribe(self.heat, record)
        with self.assertRaises(LocalProtocolError):
            self.live.subscribe(self.lamp.path, record)
        with self.assertRaises(NotFound):
            self.live.subscribe(self.lamp.path / "nosuch", record)
        with self.assertRaises((NotFound, PermissionDenied)):
            self.live.subscribe(Path.parse("test/meta/log"), record)
        self.lamp.insert(self.heat, 1)
        self.eventually(lambda: record.values == [1])

    def test_bad_transform(self) -> None:
        """A transform that the server does not take is refused, where the original would ignore it."""
        with self.assertRaises(InvalidRequest):
            self.live.subscribe(self.heat, Record(), "if $ >")
        self.assertFalse(self.live.is_wanted())

    def test_transforms(self) -> None:
        """One stream through several transforms, each by its own callback."""
        try:
            self.lamp.call(rest.points(self.heat, {"i1": "0", "i2": "0", "transform": "if last"}))
        except InvalidRequest as error:
            if "not supported" not in error.message:
                raise
            raise unittest.SkipTest("this server runs no transforms yet") from error
        plain, above, last = Record(), Record(), Record()
        self.live.subscribe(self.heat, plain)
        self.live.subscribe(self.heat, above, "if $ > 2")
        self.live.subscribe(self.heat, last, "if last")
        self.lamp.insert(self.heat, 1, 2, 3, 4)
        self.eventually(lambda: plain.values and above.values and last.values)
        self.assertEqual((plain.values, above.values, last.values), ([1, 2, 3, 4], [3, 4], [4]))
        self.live.unsubscribe(self.heat, "if $ > 2")
        self.lamp.insert(self.heat, 5)
        self.eventually(lambda: len(plain.values) == 5 and len(last.values) == 2)
        self.assertEqual(above.values, [3, 4])


class CallbackTests(LiveCase):
    """What callbacks may do, and what they may not stop."""

    def test_slow(self) -> None:
        """A callback that takes its time stops neither others nor the connection."""
        begun, go_on, quick = threading.Event(), threading.Event(), Record()
        self.addCleanup(go_on.set)

        def slow(path: str, points: list[Any]) -> None:
            begun.set()
            go_on.wait(SOON)

        self.live.subscribe(self.heat, slow)
        self.live.subscribe(self.heat, quick, add=True)
        self.lamp.insert(self.heat, 1)
        self.wait(begun)
        self.lamp.insert(self.heat, 2)
        self.eventually(lambda: quick.values == [1, 2])

    def test_raising(self) -> None:
        """A raising callback is told, and called again."""
        record = Record()

        def fail(path: str, points: list[Any]) -> None:
            record(path, points)
            raise ZeroDivisionError

        with self.assertLogs("connectordb.live", "ERROR"):
            self.live.subscribe(self.heat, fail, on_error=record.errors.append)
            self.lamp.insert(self.heat, 1)
            self.lamp.insert(self.heat, 2)
            self.eventually(lambda: len(record.errors) == 2)
        self.assertEqual(record.values, [1, 2])

    def test_everything_from_inside(self) -> None:
        """A callback may insert, subscribe, unsubscribe and close."""
        inner, done = Record(), threading.Event()

        def act(path: str, points: list[Any]) -> None:
            self.live.subscribe(self.light, inner)
            self.lamp.insert(self.light, "from inside")
            self.eventually(lambda: inner.values)
            self.live.unsubscribe(self.light)
            self.live.unsubscribe(self.heat)
            self.live.close()
            done.set()

        self.live.subscribe(self.heat, act)
        self.lamp.insert(self.heat, 1)
        self.wait(done)
        self.assertEqual(inner.values, ["from inside"])
        with self.assertRaises(ClosedError):
            self.live.subscribe(self.heat, inner)

    def test_countdown(self) -> None:
        """A callback may feed the plain stream that it watches; that ends when it stops."""
        record = Record()

        def count(path: str, points: list[Any]) -> None:
            record(path, points)
            if points[-1]["d"]:
                self.lamp.insert(self.heat, points[-1]["d"] - 1)

        self.live.subscribe(self.heat, count)
        self.lamp.insert(self.heat, 5)
        self.eventually(lambda: record.values == [5, 4, 3, 2, 1, 0])

    def test_nothing_after_unsubscribe(self) -> None:
        """Once unsubscribe or close has returned, no callback runs, whatever is under way."""
        for end in (lambda: self.live.unsubscribe(self.heat), lambda: self.live.close()):
            ended = threading.Event()
            late: list[Any] = []

            def callback(path: str, points: list[Any], ended: threading.Event = ended, late: list[Any] = late) -> None:
                if ended.is_set():
                    late.append(points)

            self.live.subscribe(self.heat, callback)
            stop = threading.Event()

            def writer(stop: threading.Event = stop) -> None:
                while not stop.is_set():
                    self.lamp.insert(self.heat, 1)

            thread = threading.Thread(target=writer)
            thread.start()
            self.eventually(lambda: len(self.lamp.inserts) > 5)
            end()
            ended.set()
            before = len(self.lamp.inserts)
            self.eventually(lambda before=before: len(self.lamp.inserts) > before + 5)  # type: ignore[misc]
            stop.set()
            thread.join(SOON)
            self.assertEqual(late, [])

    def test_stuck_callback(self) -> None:
        """A callback that does not end makes unsubscribe say so, and close end within its deadline."""
        begun, go_on = threading.Event(), threading.Event()

        def stuck(path: str, points: list[Any]) -> None:
            begun.set()
            go_on.wait(SOON)

        live = self.open(self.lamp, timeout=0.5)
        live.subscribe(self.heat, stuck)
        self.lamp.insert(self.heat, 1)
        self.wait(begun)
        with self.assertRaisesRegex(Timeout, "still runs after 0.5 s"):
            live.unsubscribe(self.heat)
        live.subscribe(self.heat, stuck)
        begun.clear()
        self.lamp.insert(self.heat, 1)
        self.wait(begun)
        with self.assertLogs("connectordb.live", "WARNING"):
            started = time.monotonic()
            live.close(timeout=0.2)
            self.assertLess(time.monotonic() - started, 0.2 + SOON / 10)
        go_on.set()


class DownlinkTests(LiveCase):
    """Commands and their acknowledgement."""

    def obey(self, returns: Any, **options: Any) -> Record:
        """Subscribe the lamp to its downlink with a callback that returns *returns*."""
        record = Record(returns)
        self.live.subscribe(self.light.at_downlink(), record, on_error=record.errors.append, **options)
        return record

    def acknowledged(self, *values: Any) -> None:
        """Expect these values in the stream."""
        self.eventually(lambda: self.lamp.read(self.light) == list(values), f"{values} in the stream")

    def test_true(self) -> None:
        """True writes the commanded points to the stream; both sides see it, and the sender is told."""
        seen = Record()
        self.open(self.user).subscribe(self.light, seen)
        record = self.obey(True)
        self.user.insert(self.light, True)
        self.eventually(lambda: seen.values == [True])
        ((path, (point,)),) = record.calls
        self.assertEqual((path, point["d"], point["o"]), (f"{self.light}/downlink", True, str(self.user.path)))
        self.acknowledged(True)
        (stored,) = self.lamp.call(rest.points(self.light, {"i1": "0", "i2": "0"}))
        self.assertEqual(stored["t"], point["t"])
        self.assertNotIn("o", stored)

    def test_other_values(self) -> None:
        """A list of points, one point, nothing."""
        record = self.obey({"d": "dimmed"})
        self.user.insert(self.light, 1)
        self.acknowledged("dimmed")
        record.returns = [{"d": 1}, {"d": 2}]
        self.user.insert(self.light, 2)
        self.acknowledged("dimmed", 1, 2)
        for nothing in (None, False, []):
            record.returns = nothing
            self.user.insert(self.light, 3)
        record.returns = [{"d": "end"}]
        self.eventually(lambda: len(record.calls) == 5)
        self.user.insert(self.light, 4)
        self.eventually(lambda: len(record.calls) == 6)
        self.eventually(lambda: self.lamp.read(self.light)[-1] == "end")
        self.assertEqual(record.errors, [])

    def test_nonsense(self) -> None:
        """Anything else is told, and writes nothing."""
        record = self.obey("yes")
        self.user.insert(self.light, 1)
        self.eventually(lambda: record.errors)
        self.assertIn("returned 'yes'", str(record.errors[0]))
        record.returns = True
        self.user.insert(self.light, 2)
        self.acknowledged(2)

    def test_something_newer(self) -> None:
        """An acknowledgement gets a time that the stream takes, also where restamping would damage its value."""
        future = time.time() + 1000
        self.lamp.call(rest.insert(self.light, [{"t": future, "d": 0}]))
        self.obey(True)
        self.user.insert(self.light, 1)
        self.acknowledged(0, 1)
        self.user.insert(self.light, {"a": None, "b": [None, 1]})
        self.acknowledged(0, 1, {"a": None, "b": [None, 1]})

    def test_refused(self) -> None:
        """An acknowledgement that the schema refuses is told."""
        self.lamp.call(rest.update(self.light, {"schema": '{"type":"boolean"}'}))
        record = self.obey({"d": 5})
        self.user.insert(self.light, True)
        self.eventually(lambda: record.errors)
        self.assertIsInstance(record.errors[0], InvalidRequest)

    def test_another_device(self) -> None:
        """Only the stream's own device acknowledges; elsewhere a returned value is an error, and no new command."""
        record = Record(True)
        self.open(self.user).subscribe(self.light.at_downlink(), record, on_error=record.errors.append)
        self.user.insert(self.light, 1)
        self.eventually(lambda: record.errors)
        self.assertIn(f"only '{self.lamp.path}' acknowledges", str(record.errors[0]))
        self.assertEqual(self.user.read(self.light.at_downlink()), [1])

    def test_first_wins(self) -> None:
        """Of several callbacks the first that acknowledges does; one that returns nothing is none."""
        silent = self.obey(None)
        first = self.obey({"d": "one"}, add=True)
        second = self.obey({"d": "two"}, add=True)
        for number in range(10):
            self.user.insert(self.light, number)
        self.eventually(lambda: len(silent.calls) == len(first.calls) == len(second.calls) == 10)
        self.eventually(lambda: len(self.lamp.read(self.light)) == 10)
        self.live.close()
        self.assertEqual(len(self.lamp.read(self.light)), 10)
        self.assertEqual(first.errors + second.errors + silent.errors, [])

    def test_transform(self) -> None:
        """The stream and its downlink are two: what is commanded does not show in the one, nor the answer in the other."""
        commands, stream = self.obey(True), Record()
        self.live.subscribe(self.light, stream)
        self.user.insert(self.light, 1)
        self.eventually(lambda: stream.values == [1])
        self.lamp.insert(self.light, 2)
        self.eventually(lambda: stream.values == [1, 2])
        self.assertEqual(commands.values, [1])

    def test_close_acknowledges(self) -> None:
        """close() lets a command that is being acted on be acknowledged."""
        begun, go_on = threading.Event(), threading.Event()

        def act(path: str, points: list[Any]) -> bool:
            begun.set()
            return go_on.wait(SOON)

        self.live.subscribe(self.light.at_downlink(), act)
        self.user.insert(self.light, 1)
        self.wait(begun)
        closing = threading.Thread(target=self.live.close)
        closing.start()
        go_on.set()
        closing.join(SOON)
        self.assertEqual(self.lamp.read(self.light), [1])


class SelfFeedingTests(LiveCase):
    """A device at its own downlink."""

    def test_ended(self) -> None:
        """Inserting from the callback into the downlink that it watches is an error, told, at the first turn."""
        own = self.user.path / "own"
        self.user.call(rest.create(own, {"schema": "{}", "downlink": True}))
        record = Record()

        def feed(path: str, points: list[Any]) -> None:
            record(path, points)
            self.user.insert(own.at_downlink(), points[-1]["d"] + 1)

        with self.assertLogs("connectordb.live", "ERROR"):
            self.open(self.user).subscribe(own.at_downlink(), feed, on_error=record.errors.append)
            self.user.insert(own.at_downlink(), 1)
            self.eventually(lambda: len(record.errors) == 1)
            # a command from outside by the same device is none of that
            self.user.insert(own.at_downlink(), 10)
            self.eventually(lambda: len(record.errors) == 2)
        self.assertEqual(record.values, [1, 10])
        self.assertIn("for ever", str(record.errors[0]))
        self.assertEqual(self.user.read(own.at_downlink()), [1, 10])

    def test_redirected(self) -> None:
        """The same for another device, whose insert into the stream would land in the downlink."""
        record = Record()

        def feed(path: str, points: list[Any]) -> None:
            record(path, points)
            self.user.insert(self.light, 2)

        with self.assertLogs("connectordb.live", "ERROR"):
            self.open(self.user).subscribe(self.light.at_downlink(), feed, on_error=record.errors.append)
            self.user.insert(self.light, 1)
            self.eventually(lambda: record.errors)
        self.assertEqual(self.user.read(self.light.at_downlink()), [1])

    def test_by_hand(self) -> None:
        """The stream's own device may acknowledge by inserting into the stream, from the callback."""
        record = Record()

        def act(path: str, points: list[Any]) -> None:
            record(path, points)
            self.lamp.insert(self.light, points[-1]["d"])

        self.live.subscribe(self.light.at_downlink(), act, on_error=record.errors.append)
        self.user.insert(self.light, 1)
        self.eventually(lambda: self.lamp.read(self.light) == [1])
        self.assertEqual((record.values, record.errors), ([1], []))
