"""The server against a model of it: whatever is asked in whatever order, both answer alike."""

from __future__ import annotations

import http.client
import json
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from connectordb.server import Server

from ..support.server import run_server
from .making import with_key
from .model import NOT_SHOWN, REFUSED, Model, Said, Stream

_users = st.sampled_from(("ann", "ben"))
_devices = st.sampled_from(("user", "lamp"))
_streams = st.sampled_from(("s", "t"))
_paths = st.one_of(st.tuples(_users), st.tuples(_users, _devices), st.tuples(_users, _devices, _streams))
#: Mostly the same one, as most of what can go wrong does so in a stream that has something in it.
_stream_paths = st.one_of(
    st.just(("ann", "lamp", "s")), st.just(("ann", "lamp", "s")), st.tuples(_users, _devices, _streams)
)
_times = st.sampled_from((1, 2, 2.5, 3, 4, 5, 5.5, 9))
_values = st.sampled_from((0, -1, 2.5, "", "ü<&>", None, True, [], {}, [1, None, {"a": {}}]))
_points = st.lists(st.fixed_dictionaries({"t": _times, "d": _values}), max_size=4)
_ordered = _points.map(lambda points: sorted(points, key=lambda point: point["t"]))
_indices = st.integers(-7, 7)


class ServerMachine(RuleBasedStateMachine):
    """Makes, deletes, inserts and reads, with a model beside it."""

    server: ClassVar[Server]
    admin_key: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        address = urlsplit(self.server.url)
        assert address.hostname is not None
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        self.model = Model()
        # most of what is asked about is there
        for path in (("ann",), ("ann", "lamp"), ("ann", "lamp", "s"), ("ann", "user", "s")):
            self._create(path)
        self.change(("ann", "lamp", "s"), "", True)

    def teardown(self) -> None:
        """Delete everything."""
        for user in list(self.model.users):
            self._ask("DELETE", (user,))
        self._connection.close()

    # --- the tree ---

    @rule(path=_paths)
    def create(self, path: tuple[str, ...]) -> None:
        """Create something, whether or not it is there and there is a place for it."""
        self._create(path)

    @rule(path=_paths, unlikely=st.integers(0, 3))
    def delete(self, path: tuple[str, ...], unlikely: int) -> None:
        """Delete something, seldom."""
        if not unlikely:
            self._same(self.model.delete(path), self._ask("DELETE", path), path)

    @rule(path=_stream_paths, nickname=st.sampled_from(("", "x", "ü")), downlink=st.booleans())
    def change(self, path: tuple[str, str, str], nickname: str, downlink: bool) -> None:
        """Change a stream; a downlink that is switched off loses its points."""
        stream = self.model.stream(path)
        status, said = self._ask("PUT", path, {"nickname": nickname, "downlink": downlink})
        if stream is None:
            self._same(REFUSED, (status, said), path)
            return
        if stream.downlink and not downlink:
            stream.wanted.points.clear()
        stream.nickname, stream.downlink = nickname, downlink
        self._same((200, self._shown(path, stream)), (status, said), path)
        self.by_index(path, 0, 0, True)

    @rule(path=_stream_paths)
    def look(self, path: tuple[str, str, str]) -> None:
        """Read a stream's properties."""
        stream = self.model.stream(path)
        self._same((200, self._shown(path, stream)) if stream else NOT_SHOWN, self._ask("GET", path), path)

    @rule(user=_users)
    def list_all(self, user: str) -> None:
        """List a user's devices, and their streams."""
        devices = self.model.users.get(user)
        status, said = self._ask("GET", (user,), q="ls")
        if devices is None:
            self._same(NOT_SHOWN, (status, said), user)
            return
        assert {device["name"] for device in said} == set(devices), said
        status, said = self._ask("GET", (user,), q="streams")
        found = {(stream["device"], stream["name"]) for stream in said} - {("meta", "log")}
        assert found == {(device, stream) for device, streams in devices.items() for stream in streams}, said

    # --- points ---

    @rule(path=_stream_paths, points=st.one_of(_points, _ordered, _ordered), restamp=st.booleans())
    def insert(self, path: tuple[str, str, str], points: list[dict[str, Any]], restamp: bool) -> None:
        """Insert as the stream's own device."""
        if path[1] not in self.model.users.get(path[0], {}):
            return  # then nobody has its key
        stream = self.model.stream(path)
        expected = REFUSED if stream is None else stream.stored.insert(points, restamp)
        said = self._ask("PUT" if restamp else "POST", path, points, below="/data", key=_key(path))
        self._same(expected, said, (path, points, restamp))
        if stream is not None:
            self.by_index(path, 0, 0, False)

    @rule(path=_stream_paths, points=_ordered)
    def want(self, path: tuple[str, str, str], points: list[dict[str, Any]]) -> None:
        """Insert as another device of the same user: into the downlink, or not at all."""
        other = (path[0], "user" if path[1] == "lamp" else "lamp")
        if other[1] not in self.model.users.get(path[0], {}):
            return
        stream = self.model.stream(path)
        if path[1] == "user":
            return  # who may see the streams of a user's own device is another matter
        expected = REFUSED
        if stream is not None and stream.downlink:
            expected = stream.wanted.insert([{**point, "o": "/".join(other)} for point in points], restamp=True)
        self._same(expected, self._ask("PUT", path, points, below="/data", key=_key(other)), (path, points))
        if stream is not None:
            self.by_index(path, 0, 0, True)

    @rule(path=_stream_paths, i1=_indices, i2=_indices, downlink=st.booleans())
    def by_index(self, path: tuple[str, str, str], i1: int, i2: int, downlink: bool) -> None:
        """Read by index."""
        stream = self.model.stream(path)
        expected = REFUSED if stream is None else _of(stream, downlink).by_index(i1, i2)
        said = self._ask("GET", path, below="/data", i1=i1, i2=i2, downlink=str(downlink).lower())
        self._same(_sent(expected), said, (path, i1, i2, downlink))

    @rule(
        path=_stream_paths,
        t1=st.sampled_from((0, 1, 2, 2.7, 5, 9)),
        t2=st.sampled_from((0, 1, 2, 5, 100)),
        limit=st.integers(0, 3),
    )
    def by_time(self, path: tuple[str, str, str], t1: float, t2: float, limit: int) -> None:
        """Read by time."""
        stream = self.model.stream(path)
        expected = REFUSED if stream is None else stream.stored.by_time(t1, t2, limit)
        said = self._ask("GET", path, below="/data", t1=t1, t2=t2, limit=limit)
        self._same(_sent(expected), said, (path, t1, t2, limit))

    @rule(path=_stream_paths, t=st.sampled_from((0, 1, 2, 2.7, 5.1, 9)))
    def index_of(self, path: tuple[str, str, str], t: float) -> None:
        """Ask which index a time has."""
        stream = self.model.stream(path)
        expected = NOT_SHOWN if stream is None else stream.stored.index_of(t)
        self._same(expected, self._ask("GET", path, below="/data", q="time2index", t=t), (path, t))

    @invariant()
    def lengths(self) -> None:
        """The length of a stream is the number of its points."""
        stream = self.model.stream(("ann", "lamp", "s"))
        if stream is not None:
            said = self._ask("GET", ("ann", "lamp", "s"), below="/data", q="length")
            self._same((200, len(stream.stored.points)), said, "length")

    # --- asking ---

    def _create(self, path: tuple[str, ...]) -> None:
        body = {} if len(path) == 3 else {"apikey": _key(path)}
        if len(path) == 1:
            body = {"email": f"{path[0]}@example.org", "password": "p"}
        status, _ = self._ask("POST", path, body)
        expected = self.model.create(path)
        assert status == expected, f"creating {path}: {status}, not {expected}"
        if status == 200 and len(path) == 1:
            self._ask("PUT", (path[0], "user"), {"apikey": _key((path[0], "user"))})

    def _ask(
        self, verb: str, path: tuple[str, ...], body: Any = None, below: str = "", key: str = "", **query: Any
    ) -> Said:
        name, _, value = with_key(key or self.admin_key).decode().partition(": ")
        target = f"/api/v1/crud/{'/'.join(path)}{below}" + (f"?{urlencode(query)}" if query else "")
        self._connection.request(verb, target, None if body is None else json.dumps(body), {name: value})
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            return answer.status, None
        return 200, "ok" if text == "ok" else json.loads(text)

    def _shown(self, path: tuple[str, ...], stream: Stream) -> dict[str, Any]:
        same = {"description": "", "icon": "", "schema": "{}", "datatype": "", "ephemeral": False}
        return {**same, "name": path[-1], "nickname": stream.nickname, "downlink": stream.downlink}

    def _same(self, expected: Said, said: Said, about: object) -> None:
        assert expected == said, f"{about}: the server said {said}, the model {expected}"


def _key(path: tuple[str, ...]) -> str:
    return "model-" + "-".join(path[:2])


def _of(stream: Stream, downlink: bool) -> Any:
    return stream.wanted if downlink else stream.stored


def _sent(expected: Said) -> Said:
    """Return points as they are written: without a value that is null."""
    status, points = expected
    if status != 200:
        return expected
    return status, [{key: value for key, value in point.items() if value is not None} for point in points]


class ModelTests(ServerMachine.TestCase):
    """The server does what the model does."""

    settings = settings(max_examples=25, stateful_step_count=30, deadline=None)

    @classmethod
    def setUpClass(cls) -> None:
        """Start a server for all runs."""
        running = run_server()
        ServerMachine.server = running.__enter__()
        cls.addClassCleanup(running.__exit__, None, None, None)
        address = urlsplit(ServerMachine.server.url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
        try:
            connection.request("GET", "/api/v1/crud/test/user", headers={"Authorization": "Basic dGVzdDp0ZXN0"})
            ServerMachine.admin_key = json.loads(connection.getresponse().read())["apikey"]
        finally:
            connection.close()
