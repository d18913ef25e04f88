"""What the tests of subscriptions share: a scripted peer with a `Live` before it, and devices on a real server."""

from __future__ import annotations

import base64
import functools
import os
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import requests

from connectordb.live import Live, Timing, check_insert
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.runtime.backoff import Backoff

from .case import SOON, Case
from .ws_peer import Peer, PeerConnection

STREAM = Path.parse("mara/lamp/light")
OTHER = Path.parse("mara/lamp/heat")
POINT = {"t": 5.0, "d": 1}

#: As patient as the tests can afford.
FAST = Timing(quiet=0.15, answer=0.15, linger=0.1, stable=30, backoff=Backoff(0.005, 0.02))
#: So patient that nothing happens by itself.
SLOW = Timing(backoff=Backoff(0.005, 0.02))


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


class PeerCase(Case):
    """A scripted peer, a `Live`, and what REST says."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = Peer()
        self.addCleanup(self.peer.close)
        self.looks: list[str] = []
        #: What REST answers instead of an empty list.
        self.trouble: Callable[[rest.Request[Any]], Any] = lambda request: None

    def live(self, timing: Timing = SLOW, timeout: float = SOON) -> Live:
        """Return a `Live` that ends with the test."""
        live = Live(
            self.peer.url,
            authorization=lambda: "Basic OmtleQ==",
            call=self.call,
            caller=lambda: Path.parse("mara/lamp"),
            timeout=timeout,
            timing=timing,
        )
        self.addCleanup(live.close)
        return live

    def call(self, request: rest.Request[Any]) -> Any:
        """Answer a REST request."""
        self.looks.append(request.path)
        self.trouble(request)
        return []

    def subscribed(self, timing: Timing = SLOW, path: Path = STREAM) -> tuple[Live, PeerConnection, Record]:
        """Return a `Live` with one subscription, its peer, and what was received."""
        live, record = self.live(timing), Record()
        live.subscribe(path, record, on_error=record.errors.append)
        peer = self.peer.connection()
        self.assertEqual(peer.command(), ("subscribe", str(path), ""))
        return live, peer, record


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
