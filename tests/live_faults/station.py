"""A client with its subscriptions, the streams that these watch, and who writes there; and what must be true of them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar
from unittest import mock

from connectordb import ConnectorDB, ConnectorDBError
from connectordb.exceptions import PointsMissed
from connectordb.live import Subscription, Timing, live
from connectordb.live.downlinks import Server
from connectordb.live.socket import patience
from connectordb.runtime.backoff import Backoff

from .check import Change, Point, adds_up, is_continued, is_continued_through, is_heard_once
from .stage import Stage
from .watch import Watch
from .writers import Writers

#: Seconds until a client takes a silent server for gone: so many, and so many more.
QUIET, ANSWER = 0.2, 0.15

#: As patient as a client can be here without being wrong all the time.
FAST = Timing(quiet=QUIET, answer=ANSWER, linger=0.2, stable=30.0, backoff=Backoff(0.005, 0.05))

#: What a daemon asks of its server; what is on its way here arrives sooner than in the ten seconds that it is waited for elsewhere.
HASTY = partial(Server, backoff=Backoff(0.01, 0.1), late_copy=0.1)

#: Seconds that a client waits for a connection, and for an answer.
TIMEOUT = (0.5, 1.0)

#: Seconds within which all that was written has to have come; and within which threads have ended after `close`.
_ARRIVED, _ENDED = 10.0, 2.0

#: Seconds that a point is waited for of which nobody knows whether it is to come.
_PERHAPS = 0.5


class Closable(Protocol):
    """What has an end."""

    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)


class Wrong(Exception):
    """Something is not as it should be; says what."""


@dataclass
class Flow:
    """
    A stream.

    Attributes:
        name: By which the harness calls it.
        path: Its path.
        ephemeral: Whether it stores nothing.
        length: How much of it was compared.
        change: What became of it since then, if it was made anew or set back.
    """

    name: str
    path: str
    ephemeral: bool = False
    length: int = 0
    change: Change | None = None
    doubtful: list[str] = field(default_factory=list)


class Station:
    """
    See the module.

    Args:
        stage: Where it is.
        chance: What is random.
        within: Seconds in which all has to come.
        undisturbed: Whether no connection is lost: then what an ephemeral stream told of is counted, too.
        is_owner: Whether the client is the streams' own device.
    """

    def __init__(
        self,
        stage: Stage,
        chance: random.Random,
        within: float = _ARRIVED,
        undisturbed: bool = False,
        is_owner: bool = False,
    ) -> None:
        self.stage = stage
        self.chance = chance
        self.points = 0
        self._is_ended = False
        self._patience = within
        self._undisturbed = undisturbed
        self._connections = stage.proxy.opened
        number = stage.next_number()
        self.flows = {
            name: Flow(name, f"{stage.device}/{name}{number}", name == "ephemeral")
            for name in ("first", "second", "ephemeral")
        }
        for flow in self.flows.values():
            self._create(flow)
        self._meanwhile = ExitStack()
        self._chatter: list[Subscription] = []
        self._company: list[Closable] = []
        self.writers = Writers(stage.target.url, stage.apikey, [flow.path for flow in self.flows.values()], chance)
        apikey = stage.apikey if is_owner else stage.watcher_key
        self.client = ConnectorDB(apikey, url=stage.proxy.url, timeout=TIMEOUT)
        self.during(mock.patch.object(patience, "DEFAULT", FAST))
        self.during(mock.patch.object(live, "Server", HASTY))
        self.watches: list[Watch] = []
        try:
            self._begin()
        except BaseException:
            self.client.close()
            self._clear()
            raise

    def _create(self, flow: Flow) -> None:
        stream = self.stage.stream(flow.path)
        stream.create({})
        if flow.ephemeral:
            stream.ephemeral = True

    def _begin(self) -> None:
        self.watch("ephemeral")
        self.writers.go_on()
        self.watch("first")
        self.watch("first", 0)
        self.watch("second", 0)

    def watch(self, name: str, since: float | None = None, **options: Any) -> Watch:
        """Have another subscription, from the present, an index or a time on."""
        flow = self.flows[name]
        before = self._begins(flow, since)
        watch = Watch(self.client, name, flow.path, since, **options)
        watch.first = None if flow.ephemeral else (before, self._begins(flow, since))
        self.watches.append(watch)
        return watch

    def _begins(self, flow: Flow, since: float | None) -> int:
        """Return the index of the first point of a subscription that begins now."""
        if flow.ephemeral or (isinstance(since, int) and since >= 0):
            return int(since or 0)
        if isinstance(since, float):
            return sum(point.t <= since for point in self.read(flow, 0))
        return max(0, len(self.stage.stream(flow.path)) + (since or 0))

    @property
    def connections(self) -> int:
        """How many websockets there were."""
        return self.stage.proxy.opened - self._connections

    @property
    def is_told_indices(self) -> bool:
        """Whether the client knows that the server says where points stand."""
        return self.stage.indices and self.stage.proxy.announces

    def stored(self) -> list[Watch]:
        """Return the subscriptions to streams that store."""
        return [watch for watch in self.watches if not self.flows[watch.flow].ephemeral]

    def replace(self, watch: Watch) -> None:
        """Have another subscription in the place of one that was told nothing."""
        at = self.watches.index(watch)
        self.watch(watch.flow)
        self.watches[at] = self.watches.pop()

    def chatter(self) -> None:
        """Have the client say something, which changes nothing for the others: subscribe, and end that when all is settled."""
        path = self.flows["second"].path
        self._chatter.append(
            self.client(path).subscribe(lambda *_: None, "if $[1] > 0", wait=False, on_error=lambda _: None)
        )

    def during(self, what: AbstractContextManager[object]) -> None:
        """Have something so until the end."""
        self._meanwhile.enter_context(what)

    def at_end(self, what: C) -> C:
        """Have something closed after the client."""
        self._company.append(what)
        return what

    def beside(self, seconds: float) -> None:
        """Let the writers write for so long."""
        threading.Event().wait(seconds)

    def until(self, condition: Callable[[], object], within: float, what: str) -> float:
        """Wait until something is so; return how long that took."""
        began = time.monotonic()
        if not wait_for(condition, within):
            raise Wrong(f"not within {within:g} s: {what}")
        return time.monotonic() - began

    def read(self, flow: Flow, first: int) -> list[Point]:
        """Return what a stream holds, from an index on."""
        points = self.stage.stream(flow.path)[first:]
        return [Point(first + number, point.get("t", 0.0), point["d"]) for number, point in enumerate(points)]

    def each(
        self, watches: Sequence[Watch], condition: Callable[[Watch], bool], what: str, within: float = 0.0
    ) -> float:
        """Wait until something is so of all of them; return how long that took."""
        began = time.monotonic()
        within = within or self._patience
        for watch in watches:
            left = max(0.0, began + within - time.monotonic())
            if not watch.wait_until(lambda watch=watch: condition(watch), left):  # type: ignore[misc]
                raise Wrong(f"{watch.name}: not within {within:g} s: {what}; its state is {watch.subscription.state}")
        return time.monotonic() - began

    def end(self) -> float:
        """
        Close the client, whatever it does just now; return how long that took.

        Raises:
            Wrong: Something is left of it, or goes on.
        """
        began = time.monotonic()
        self.client.close()
        took = time.monotonic() - began
        self._is_ended = True
        while self._company:
            self._company.pop().close()
        calls = [watch.calls for watch in self.watches]
        self.until(lambda: not _threads(), _ENDED, f"the end of all threads after close(); there are {_threads()}")
        self.beside(0.01)
        if calls != [watch.calls for watch in self.watches]:
            raise Wrong("a callback was called after close() had returned")
        return took

    # --- the verdict ----------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """
        Let nothing go wrong any more, wait until all has come, and check everything.

        Raises:
            Wrong: Something is not as it should be.
        """
        self.stage.calm()
        self.writers.pause()
        while self._chatter:
            self._chatter.pop().close()
        wrong: list[str] = []
        deadline = time.monotonic() + self._patience
        if not self._is_ended:
            self.until(
                lambda: all(watch.is_there() for watch in self.watches), self._patience, "all streams are watched"
            )
        for flow in self.flows.values():
            watches = [watch for watch in self.watches if watch.flow == flow.name]
            if flow.ephemeral:
                wrong += [] if self._is_ended else self._heard(flow, watches)
            else:
                wrong += self._stored(flow, watches, deadline)
        for watch in self.watches:
            with watch.changed:
                wrong += watch.wrong
                watch.wrong.clear()
        if wrong:
            raise Wrong("\n".join(dict.fromkeys(wrong)))
        self.writers.go_on()

    def _stored(self, flow: Flow, watches: Sequence[Watch], deadline: float) -> list[str]:
        first = 0 if flow.change else min([flow.length, *(watch.first[0] for watch in watches if watch.first)])
        stream = self.read(flow, first)
        last = stream[-1] if stream else None
        wrong = []
        for watch in watches:
            if not self._is_ended:
                within = deadline - time.monotonic()
                if watch.first is not None and last is not None and (last.index or 0) < watch.first[1]:
                    within = min(within, _PERHAPS)  # it was written while the subscription began
                watch.wait_until(lambda watch=watch: _has_come(watch, last, flow.change), within)  # type: ignore[misc]
            wrong += self._compare(flow, watch, first, stream, deadline)
        self.points += max(0, first + len(stream) - flow.length)
        flow.length, flow.change = first + len(stream), None
        return wrong

    def _compare(self, flow: Flow, watch: Watch, first: int, stream: list[Point], deadline: float) -> list[str]:
        with watch.changed:
            new = watch.told[watch.settled :]
            gone = [(place - watch.settled, reason) for place, reason in watch.gone]
            total = watch.settled + len(new)
        wrong = []
        begins = flow.length
        if watch.first is not None:
            least, most = watch.first
            begins = new[0].index if new and new[0].index is not None else min(most, first + len(stream))
            if flow.change is not None and not least <= begins <= most:
                begins = most  # all that it was told is of the new stream
            elif not least <= begins <= most:
                wrong.append(f"{watch.name}: it begins with {begins}, and should with {least} to {most}")
        if self._is_ended:
            wrong += is_continued(watch.name, new, stream[max(0, begins - first) :][: len(new)])
        elif flow.change is None:
            amiss = list(is_continued(watch.name, new, stream[max(0, begins - first) :]))
            wrong += amiss + ([f"{watch.name} says {watch.says()}"] if amiss else [])
            wrong += self._no_reason(watch, gone)
        else:
            wrong += is_continued_through(watch.name, new, gone, flow.change, begins, stream)
        if not wrong and not self._is_ended:
            wrong += self._numbers(watch, deadline, counts_missed=flow.change is None)
        with watch.changed:
            watch.settled, watch.first = total, None
            watch.gone.clear()
        return wrong

    def _no_reason(self, watch: Watch, gone: Sequence[tuple[int, str]]) -> list[str]:
        allowed = self.flows[watch.flow].doubtful
        return [
            f"{watch.name}: it was told that the stream was {reason}, and it was not"
            for _, reason in gone
            if reason not in allowed
        ]

    def _numbers(self, watch: Watch, deadline: float, counts_missed: bool) -> list[str]:
        """Compare a subscription's own numbers, once its callback has returned."""
        wrong: list[str] = []
        pause = threading.Event()
        while True:
            says = watch.says()
            if not counts_missed:
                del says["missed"]
            told = watch.handed_on()
            wrong = list(adds_up(watch.name, says, len(told), told[-1].index if told else None))
            if not wrong or time.monotonic() > deadline:
                return wrong
            pause.wait(0.005)

    def _heard(self, flow: Flow, watches: Sequence[Watch]) -> list[str]:
        """Compare what was told of a stream that stores nothing: what is missing must have been said to be."""
        wrong = []
        sent, confirmed = self.writers.sent[flow.path], self.writers.confirmed[flow.path]
        for watch in watches:

            def short(watch: Watch = watch) -> int:
                return confirmed - len(watch.told) - watch.subscription.missed

            def admitted(watch: Watch = watch) -> int:
                lost = sum(isinstance(error, PointsMissed) for error in watch.errors)
                # a machine that is busy enough makes a connection look dead
                return 0 if self._undisturbed and self.connections == 1 else len(watch.gone) + lost

            if not watch.subscription.wait("live", self._patience):
                wrong.append(f"{watch.name}: its state is {watch.subscription.state!r}")
            before = watch.short
            watch.wait_until(lambda before=before: short() <= before or admitted(), self._patience)  # type: ignore[misc]
            if short() > before and not admitted():
                wrong.append(f"{watch.name}: {short() - before} points of {confirmed} are missing, and nobody said so")
            with watch.changed:
                wrong += is_heard_once(watch.name, [point.d for point in watch.told], sent)
                watch.short = max(before, short())
                watch.errors.clear()
                watch.gone.clear()
        return wrong

    def close(self) -> None:
        """
        End it.

        Raises:
            Wrong: Something is left of the client.
        """
        self.stage.calm()
        try:
            self.end()
        finally:
            self._clear()

    def _clear(self) -> None:
        self.writers.close()
        self._meanwhile.close()
        for flow in self.flows.values():
            try:
                self.stage.stream(flow.path).delete()
            except ConnectorDBError:
                pass  # a fault has deleted it


def wait_for(condition: Callable[[], object], within: float) -> bool:
    """Wait until something is so; tell whether it is."""
    deadline, pause = time.monotonic() + within, threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.005)
    return True


def _threads() -> list[str]:
    """Return the client's threads; the server has its own process."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("connectordb-")]


def _has_come(watch: Watch, last: Point | None, change: Change | None) -> bool:
    """Tell whether a stream's last point has come; called with the record's lock."""
    if last is None:  # of a stream that is another one now nothing comes but the word that it is
        return change is None or bool(watch.gone) or not watch.told
    if change is None and watch.first is not None and last.index is not None and last.index < watch.first[0]:
        return True  # all there is is of before
    told = watch.told[-1] if watch.told else None
    if change is not None and change.resumes and not watch.gone:
        return told is not None and told.d == last.d
    if told is None or told.d == last.d:
        return told is not None
    # who has had later points than there are now is told nothing more; of those with equal times, each counts
    nothing_since = bool(watch.gone) and watch.gone[-1][0] == len(watch.told)
    return change is not None and change.resumes and nothing_since and told.t >= last.t
