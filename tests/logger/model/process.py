"""
The Logger: the package's own pass, run from one request to the next.

A process is a state machine: what it does next follows from its file, from what it remembers, and from what it is told. Nobody
can copy a running function; so a pass that was left waiting for an answer is run again from its beginning, is told the same,
and then one thing more. What it comes to is kept: each step is taken once, however many runs it is part of.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Hashable, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

from connectordb.exceptions import ConnectionFailed, ConnectorDBError, OutcomeUnknown
from connectordb.logger.sync import passes, plan
from connectordb.logger.sync.batches import Memory
from connectordb.protocol import refusals, rest
from connectordb.protocol.features import Features
from connectordb.protocol.paths import Path
from connectordb.protocol.reply import Reply

from .cache import STREAM, Cache, File
from .fingerprint import fingerprint

Batch = tuple[tuple[float, str], ...]

DEVICE = Path.parse("u/d")


class Asked(NamedTuple):
    """
    What a process waits for.

    Attributes:
        what: ``insert``, ``length``, ``points``, ``wait``; or nothing, between two passes.
        batch: The points of an insert.
        key: Its name.
        first: Of a range.
        end: Of a range.
    """

    what: str = ""
    batch: Batch = ()
    key: str | None = None
    first: int = 0
    end: int = 0


class Node(NamedTuple):
    """
    A process at a moment.

    Attributes:
        file: Its file.
        asked: What it waits for.
        seen: How long ago it first saw what is held: ids of first rows, and seconds.
        script: The file with which its pass began, how long ago it had seen what is held then, and what it was told since.
        fault: An exception that no pass may raise.
    """

    file: File
    asked: Asked
    seen: tuple[tuple[int, float], ...]
    script: tuple[Any, ...] = ()
    fault: str = ""


class Stepped(NamedTuple):
    """What became of a process, and what its file was between: a kill may leave that."""

    process: int
    between: tuple[File, ...] = ()


class Begin(NamedTuple):
    """
    A pass begins.

    Attributes:
        upto: Up to which row.
        size: How many to a batch.
        features: What the server announces.
        restamp: What is too old gets other times.
        judges: It can say by how much the clock was wrong.
    """

    upto: int
    size: int
    features: Features
    restamp: bool
    judges: bool = False


class Told(NamedTuple):
    """An answer: a word for an insert, else what was read; ``None`` if there is none. And what the server announces with it."""

    answer: Any = None
    features: Features | None = None


class Added(NamedTuple):
    """A point was added, at a time if the clock says so."""

    t: float
    d: str


class Put(NamedTuple):
    """A point was inserted with a time of the user's."""

    given: float
    d: str
    restamp: bool


class Happened(Enum):
    """What a process is not told, and may find."""

    TEN_SECONDS = auto()  # passed
    CLEARED = auto()  #     by the user: all that waits


class Processes:
    """
    All processes that were met, by number.

    Args:
        doubting: Hold what is taken for one process, as it remembers the same, to going on in the same way.
    """

    def __init__(self, doubting: bool = False) -> None:
        self._doubting = doubting
        self.nodes: list[Node] = []
        self._numbers: dict[Hashable, int] = {}
        self._steps: dict[tuple[int, Hashable], Stepped] = {}
        self._others: dict[int, Node] = {}

    def idle(self, file: File, seen: tuple[tuple[int, float], ...] = ()) -> int:
        """Return the process that waits for the next pass."""
        return self._number((file, seen, ""), Node(file, Asked(), seen))

    def step(self, number: int, event: Hashable) -> Stepped:
        """Return what becomes of a process that is told *event*."""
        known = self._steps.get((number, event))
        if known is None:
            known = self._steps[number, event] = self._step(self.nodes[number], event)
            other = self._others.get(number)
            if other is not None and self._step(other, event).process != known.process:
                raise AssertionError(f"two processes are taken for one that go on in different ways: {number}")
        return known

    def _number(self, key: Hashable, node: Node) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.nodes)
            self.nodes.append(node)
        elif self._doubting and node.script != self.nodes[number].script:
            self._others[number] = node
        return number

    def _step(self, node: Node, event: Any) -> Stepped:
        if not node.asked.what and isinstance(event, Added):
            return Stepped(self.idle(node.file.add(*event), node.seen))
        if not node.asked.what and isinstance(event, Put):
            return Stepped(self.idle(node.file.put(*event), node.seen))
        if not node.asked.what and event is Happened.CLEARED:
            return Stepped(self.idle(node.file.clear(), node.seen))
        if not node.asked.what and event is Happened.TEN_SECONDS:
            return Stepped(self.idle(node.file, tuple((first, plan.WAIT) for first, _ in node.seen)))
        script = (*node.script, event) if node.asked.what else (node.file, node.seen, event)
        return self._run(script)

    def _run(self, script: tuple[Any, ...]) -> Stepped:
        file, seen, begin, *events = script
        cache = Cache(file, begin.judges)
        wire = Wire(cache, begin.features, events)
        memory = Memory(size=begin.size, seen={(STREAM, first, 0): -ago for first, ago in seen})
        one = passes.Pass(cache, wire, lambda *_: wire, wire.clock, threading.Event(), plan.WAIT, begin.restamp, memory)  # type: ignore[arg-type]
        fault = ""
        try:
            one.run({STREAM: begin.upto})
        except Waiting as waiting:
            ages = _ages(memory, cache.file, wire.clock.now)
            remembered = hash(fingerprint(waiting.__traceback__))  # itself it is large, and there are many
            waiting.__traceback__ = None  # or it would stay until the next full collection
            node = Node(cache.file, waiting.asked, ages, script)
            seen = tuple(memory.seen.items())
            key = (cache.file, waiting.asked, seen, begin.size, begin.judges, wire.features, wire.clock.now, remembered)
            return Stepped(self._number(key, node), between(cache))
        except ConnectorDBError:
            pass  # as it is told to the user; another pass follows
        except Exception as error:
            fault = f"a pass fails: {error!r}"
        ages = _ages(memory, cache.file, wire.clock.now)
        node = Node(cache.file, Asked(), ages, fault=fault)
        return Stepped(self._number((cache.file, ages, fault), node), between(cache))


def between(cache: Cache) -> tuple[File, ...]:
    """Return what the file was after each transaction but the last."""
    return tuple(file for file in dict.fromkeys(cache.history) if file != cache.file)


def _ages(memory: Memory, file: File, now: float) -> tuple[tuple[int, float], ...]:
    held = {batch.first for batch in file.held}
    return tuple((first, min(now - then, plan.WAIT)) for (_, first, _), then in memory.seen.items() if first in held)


class Waiting(BaseException):
    """The pass has come to where nobody knows yet what it is told."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.asked = asked


class Hands:
    """The clock: of a pass, from 0 on."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 0.0

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self._wire.told(Asked("wait"))
        self.now += seconds
        return False


def new_key(server: Wire) -> str | None:
    """As `connectordb.logger.sync.sending.new_key`, but the same ones each time."""
    return None if server.features.idempotency is None else server.new_key()


class Wire:
    """A `connectordb.logger.sync.reading.Server` that answers what it was told to."""

    address, apikey = "http://server", "key"

    def __init__(self, cache: Cache, features: Features, events: Sequence[Any]) -> None:
        self._cache, self._events = cache, iter(events)
        self.features = features
        self.clock = Hands(self)

    def time(self) -> float | None:
        return None

    def call(self, request: rest.Request[Any]) -> Any:
        if request.parameters.get("q") == "this":
            return DEVICE
        if not request.parameters and not request.inserts:
            return {}  # metadata, of a stream that keeps its points
        told = self.told(_asked(request))
        self.features = told.features or self.features
        if told.answer is None:
            raise ConnectionFailed("no answer")
        if not request.inserts:
            return told.answer if isinstance(told.answer, int) else [{"t": t, "d": d} for t, d in told.answer]
        error = ANSWERS[told.answer]
        if error is not None:
            raise error
        return None

    def new_key(self) -> str:
        """Return a name that was not given before."""
        return self._cache.new_key()

    def told(self, asked: Asked) -> Told:
        """Return what the process is told; what happens before that happens."""
        for event in self._events:
            self._cache.history.clear()
            if isinstance(event, Told):
                return event
            if isinstance(event, Added):
                self._cache.file = self._cache.file.add(*event)
            elif isinstance(event, Put):
                self._cache.file = self._cache.file.put(*event)
            elif event is Happened.CLEARED:
                self._cache.file = self._cache.file.clear()
            else:
                self.clock.now += plan.WAIT
        raise Waiting(asked)


def _asked(request: rest.Request[Any]) -> Asked:
    if request.inserts:
        points = json.loads(request.body or b"")
        return Asked("insert", tuple((point["t"], point["d"]) for point in points), request.key)
    if request.parameters.get("q") == "length":
        return Asked("length")
    return Asked("points", first=int(request.parameters["i1"]), end=int(request.parameters["i2"]))


def _said(status: int, message: str) -> ConnectorDBError:
    """Return what the client makes of a refusal."""
    told = {"code": status, "msg": message, "ref": "0f8fad5b"}
    return refusals.refusal("POST", f"/crud/{DEVICE}/s/data", Reply(status, json.dumps(told).encode()))


#: What the client makes of each answer to an insert.
ANSWERS: dict[str, ConnectorDBError | None] = {
    "ok": None,
    "schema": _said(403, "At least one datapoint did not conform to the stream's schema"),
    "not ordered": _said(403, "Timestamps are not ordered!"),
    "older": _said(403, "Greater timestamp already exists for the stream. Insert Failed."),
    "denied": _said(403, "Write access to stream data denied."),
    "odd": _said(403, "nats: maximum payload exceeded"),
    "other points": _said(403, "Other points were inserted with this Idempotency-Key; nothing was stored"),
    "broken": OutcomeUnknown("the connection broke"),
    "away": ConnectionFailed("refused"),
}
