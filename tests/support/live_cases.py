"""What the tests of subscriptions share: a scripted peer with a `Live` before it, and devices on a real server."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import requests

from connectordb.live import Live, Options, Timing, check_insert
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.protocol.reply import Reply
from connectordb.runtime.backoff import Backoff

from .case import SOON, Case
from .target import TargetCase, new_name
from .ws_peer import Peer, PeerConnection

STREAM = Path.parse("mara/lamp/light")
OTHER = Path.parse("mara/lamp/heat")
POINT = {"t": 5.0, "d": 1}

#: As patient as the tests can afford.
FAST = Timing(quiet=0.15, answer=0.5, linger=0.1, stable=30, backoff=Backoff(0.005, 0.02))
#: So patient that nothing happens by itself.
SLOW = Timing(backoff=Backoff(0.005, 0.02))


class Record:
    """A callback that remembers, and returns what it is told to."""

    def __init__(self, returns: Any = None) -> None:
        self.calls: list[tuple[str, list[dict[str, Any]]]] = []
        self.errors: list[Exception] = []
        self.returns = returns

    def __call__(self, path: str, points: list[dict[str, Any]]) -> Any:
        self.calls.append((path, list(points)))
        return self.returns

    @property
    def values(self) -> list[Any]:
        """The values that came."""
        return [point["d"] for _, points in self.calls for point in points]


class PeerCase(Case):
    """A scripted peer, a `Live`, and what REST says."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = Peer()
        self.addCleanup(self.peer.close)
        self.looks: list[str] = []
        self.ephemeral: set[str] = set()
        #: What REST answers instead of an empty list.
        self.trouble: Callable[[rest.Request[Any]], Any] = lambda request: None

    def live(self, timing: Timing = SLOW, timeout: float = SOON, **options: Any) -> Live:
        """Return a `Live` that ends with the test."""
        usual = {
            "authorization": lambda: "Basic OmtleQ==",
            "call": self.call,
            "caller": lambda: Path.parse("mara/lamp"),
        }
        live = Live(self.peer.url, timeout=timeout, timing=timing, **{**usual, **options})
        self.addCleanup(live.close)
        return live

    def call(self, request: rest.Request[Any]) -> Any:
        """Answer a REST request."""
        self.looks.append(request.path)
        self.trouble(request)
        path, _, points = request.path.removeprefix("/crud/").partition("/data")
        if request.path == f"/crud/{path}":
            return {"ephemeral": path in self.ephemeral}
        stored = self.peer.stored.get(path + "/downlink" * ("downlink" in request.parameters), [])
        if request.parameters.get("q") == "length":
            return len(stored)
        first = int(request.parameters["i1"])
        return [] if first < 0 else [dict(point) for point in stored[first : int(request.parameters["i2"])]]

    def subscribed(self, timing: Timing = SLOW, path: Path = STREAM) -> tuple[Live, PeerConnection, Record]:
        """Return a `Live` with one subscription, its peer, and what was received."""
        live, record = self.live(timing), Record()
        live.subscribe(path, record, options=Options(on_error=record.errors.append))
        peer = self.peer.connection()
        self.assertEqual(peer.command(), ("subscribe", str(path), ""))
        return live, peer, record


class Caller:
    """One device's REST access, by hand, with the `Live` that is tested."""

    def __init__(self, url: str, path: Path, key: str) -> None:
        self.url = url
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
                f"{self.url}/api/v1{request.path}",
                params=dict(request.parameters),
                data=request.body,
                timeout=SOON,
            )
        return request.read(Reply(reply.status_code, reply.content, reply.headers))

    def live(self, timeout: float = SOON, **options: Any) -> Live:
        """Return a `Live`."""
        return Live(
            self.url,
            authorization=lambda: self.authorization,
            call=self.call,
            caller=lambda: self.path,
            timeout=timeout,
            **options,
        )

    def insert(self, path: Path, *values: Any) -> None:
        """Insert values, as a user's call does."""
        check_insert(path, lambda: self.path)
        self.call(rest.insert(path, [{"t": time.time(), "d": value} for value in values], restamp=True))

    def read(self, path: Path) -> list[Any]:
        """Return all values."""
        return [point["d"] for point in self.call(rest.points(path, {"i1": "0", "i2": "0"}))]


class LiveCase(TargetCase):
    """Two devices of a user on a real server, ``user`` and the lamp; the latter has new streams ``light`` and ``heat``."""

    def setUp(self) -> None:
        super().setUp()
        self.user = self.caller("user", self.user_key)
        self.lamp = self.caller("own", self.device_key)
        self.light = self.lamp.path / new_name()
        self.heat = self.lamp.path / new_name()
        self.lamp.call(rest.create(self.light, {"schema": "{}", "downlink": True}))
        self.lamp.call(rest.create(self.heat, {"schema": "{}"}))
        self.live = self.open(self.lamp)

    def caller(self, device: str, key: str) -> Caller:
        """Return the access of one of the user's devices."""
        caller = Caller(self.url, Path((self.user_name, device)), key)
        self.addCleanup(caller.session.close)
        return caller

    def open(self, caller: Caller, timeout: float = SOON, **options: Any) -> Live:
        """Return a `Live` that ends with the test."""
        live = caller.live(timeout, **options)
        self.addCleanup(live.close)
        return live
