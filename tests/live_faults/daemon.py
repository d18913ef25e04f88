"""
A daemon that is killed at one step of one command: a process of its own, by ``kill -9``.

Run as a program it is what `tests.support.nursery` forks them off from; `be` is one life.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

from connectordb import ConnectorDB
from connectordb.live import Batch, live
from connectordb.live.downlinks import Server, Step, steps
from connectordb.live.downlinks.ledger import Ledger
from connectordb.live.downlinks.owed import Debt, Owed
from connectordb.live.downlinks.writing import Writing
from connectordb.live.remembering import remember
from connectordb.live.remembering.place import Place
from connectordb.protocol.features import Features
from connectordb.protocol.paths import Path as StreamPath
from connectordb.protocol.restamp import Call
from connectordb.runtime.backoff import Backoff

from ..support.nursery import serve


@dataclass(frozen=True)
class Orders:
    """
    What a daemon is told.

    Attributes:
        url: The server.
        apikey: The device's key.
        stream: The commanded stream.
        folder: Where ``lamp.state`` is, and ``acted``, in which each call of the callback writes a line.
        on_crash: The user's choice.
        answers: Whether it records what became of each command.
        keyed: Whether it learns that the server knows inserts by name.
        kill: The place where it is killed: a name of `PLACES`; empty: nowhere.
        index: Of the command there.
        broken: A rule that it does without: a name of `BROKEN`; empty: none.
    """

    url: str
    apikey: str
    stream: str
    folder: str
    on_crash: str
    answers: bool
    keyed: bool
    kill: str = ""
    index: int = -1
    broken: str = ""

    def words(self) -> str:
        """Return them as one word."""
        return json.dumps(asdict(self), separators=(",", ":"))


#: Where it can be killed, in the order in which a command comes by. Besides the steps: in the callback, before and after it has
#: acted; before a request that writes is sent, and when it has been answered; in the midst of writing the file.
PLACES = (
    "received",
    "torn begun",
    "begun",
    "before acting",
    "after acting",
    "acted",
    "torn owed",
    "owed",
    "sending acknowledgement",
    "sent acknowledgement",
    "torn acknowledged",
    "acknowledged",
    "sending record",
    "sent record",
    "recorded",
    "torn done",
    "done",
)

#: Those that only who records answers comes by.
RECORDING = frozenset({"torn acknowledged", "sending record", "sent record", "recorded"})


def _nothing_is_noted(self: Ledger, *arguments: Any) -> None:
    """Note nothing."""


def _owes_in_memory(self: Ledger, behind: Place | None, debt: Debt, flush: bool) -> None:
    self.place, self.debt, self.doubted = behind, debt, False


def _looks_at_nothing(self: Writing, owed: Owed, note: Callable[[Owed], None], doubted: bool) -> Owed:
    return _write(self, replace(owed, key=uuid.uuid4().hex, before=None), note, False)


_write = Writing.write

#: Rules that a daemon can do without, each with the kind of thing that goes wrong then.
BROKEN: dict[str, tuple[Any, str, Any]] = {
    "notes what is begun": (Ledger, "begin", _nothing_is_noted),
    "notes what is owed": (Ledger, "owe", _owes_in_memory),
    "writes what is in doubt under its name, or looks": (Writing, "write", _looks_at_nothing),
}


def die() -> NoReturn:
    """End, at this very place."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


class Daemon:
    """One life."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._at: int | None = None
        self._place = ""
        self._handled = 0
        self._acted = os.open(Path(orders.folder) / "acted", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def run(self) -> None:
        """Handle commands until all are, or until it is killed."""
        orders = self._orders
        steps.watcher = self._step
        if orders.broken:
            setattr(*BROKEN[orders.broken])
        remember.os = _TearingOs(self._torn)  # type: ignore[attr-defined]
        with (
            mock.patch.object(live, "Server", self._server),
            ConnectorDB(orders.apikey, url=orders.url) as cdb,
        ):
            handled = threading.Event()
            cdb(orders.stream).subscribe(
                self._act,
                downlink=True,
                since=0,  # for the first one; the others remember
                remember=Path(orders.folder) / "lamp.state",
                on_crash=orders.on_crash,
                answers=orders.answers,
                on_error=lambda error: None,
                # all commands were there before: once they are handed on, all are handled
                on_subscribed=lambda number: handled.set(),
            )
            handled_before = -1
            while not handled.wait(60):  # thousands of them may wait
                assert self._handled > handled_before, "the commands are not handled"
                handled_before = self._handled

    def _server(
        self, call: Call, caller: Callable[[], StreamPath], features: Callable[[], Features], *rest: Any
    ) -> Server:
        """Return what commands ask: the session, with places where it dies, and little patience."""
        orders = self._orders

        def deadly(request: Any) -> Any:
            writes = request.inserts > 0 and self._at == orders.index
            name = "record" if request.path.endswith("_answers/data") else "acknowledgement"
            if writes and orders.kill == f"sending {name}":
                die()
            answer = call(request)
            if writes and orders.kill == f"sent {name}":
                die()
            return answer

        told = features if orders.keyed else Features
        return Server(deadly, caller, told, *rest, backoff=Backoff(0.01, 0.02), late_copy=0.01)

    def _act(self, path: str, points: Batch) -> object:
        index = points.first_index
        assert index is not None and len(points) == 1
        self._die_if("before acting", index)
        os.write(self._acted, b"%d\n" % index)
        self._handled += 1
        self._die_if("after acting", index)
        return {"d": index}

    def _step(self, step: Step, index: int | None) -> None:
        self._at = index
        self._place = step.value
        self._die_if(step.value, index)

    def _die_if(self, place: str, index: int | None) -> None:
        if place == self._orders.kill and index == self._orders.index:
            die()

    def _torn(self) -> bool:
        """Tell whether what is written to the file now is to be torn."""
        if self._at != self._orders.index:
            return False
        following = {
            "received": "begun",
            "acted": "owed",
            "owed": "acknowledged",
            "acknowledged": "done",
            "recorded": "done",
        }
        coming = following.get(self._place, "")
        if self._place == "owed" and not self._orders.answers:
            coming = ""  # one note fewer
        return self._orders.kill == f"torn {coming}" and not (self._place == "acknowledged" and self._orders.answers)


class _TearingOs:
    """The module os for who writes the file: half of a write, and then the end."""

    def __init__(self, torn: Callable[[], bool]) -> None:
        self._torn = torn

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, descriptor: int, text: bytes) -> int:
        """Write, or write half and die."""
        if self._torn():
            os.write(descriptor, text[: len(text) // 2])
            die()
        return os.write(descriptor, text)


def be(words: list[str]) -> int:
    """Be one daemon."""
    Daemon(Orders(**json.loads(" ".join(words)))).run()
    return 0


if __name__ == "__main__":
    with open(sys.argv[1], "a", buffering=1) as log:
        sys.stderr = log
        serve(be)
