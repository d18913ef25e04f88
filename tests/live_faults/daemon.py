"""
A daemon that is killed at one step of one command: a process of its own, by ``kill -9``.

Run as a program it is what `tests.support.nursery` forks them off from; `live` is one life.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from connectordb import ConnectorDB
from connectordb.live import remember
from connectordb.live.downlinks import Commands, Policy, Server, Step, steps
from connectordb.live.downlinks.ledger import Ledger
from connectordb.live.downlinks.owed import Debt, Owed
from connectordb.live.downlinks.writing import Writing
from connectordb.live.remember import Place, Remembered
from connectordb.protocol.features import Features
from connectordb.protocol.paths import Path as StreamPath
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
        until: It ends when so many commands are handled.
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
    until: int
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
        self._acted = os.open(Path(orders.folder) / "acted", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def run(self) -> None:
        """Handle commands until all are, or until it is killed."""
        orders = self._orders
        steps.watcher = self._step
        if orders.broken:
            setattr(*BROKEN[orders.broken])
        remember.os = _TearingOs(self._torn)  # type: ignore[attr-defined]
        with ConnectorDB(orders.apikey, url=orders.url) as cdb:
            session = cdb._session
            send = session.call

            def call(request: Any) -> Any:
                writes = request.inserts > 0 and self._at == orders.index
                name = "record" if request.path.endswith("_answers/data") else "acknowledgement"
                if writes and orders.kill == f"sending {name}":
                    die()
                answer = send(request)
                if writes and orders.kill == f"sent {name}":
                    die()
                return answer

            self._handle_all(
                cdb,
                Server(
                    call,
                    lambda: session.path,
                    lambda: session.features if orders.keyed else Features(),
                    session.server_time,
                    backoff=Backoff(0.01, 0.02),
                    late_copy=0.01,
                ),
            )

    def _handle_all(self, cdb: ConnectorDB, server: Server) -> None:
        orders = self._orders
        path = StreamPath.parse(orders.stream).at_downlink()
        remembered = Remembered(Path(orders.folder) / "lamp.state", path, orders.url)
        policy = Policy(orders.on_crash)
        commands = Commands(path, server, lambda error, logged=False: None, policy, remembered, orders.answers)
        commands.complete()
        place = commands.resume()
        index = place.next if place else 0
        downlink = cdb(orders.stream)
        while index < orders.until:
            for point in downlink(i1=index, i2=min(index + 50, orders.until), downlink=True):
                commands.handle(index, point, lambda index=index: self._act(index))  # type: ignore[misc]
                index += 1
        commands.close()

    def _act(self, index: int) -> object:
        self._die_if("before acting", index)
        os.write(self._acted, b"%d\n" % index)
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


def live(words: list[str]) -> int:
    """Be one daemon."""
    Daemon(Orders(**json.loads(" ".join(words)))).run()
    return 0


if __name__ == "__main__":
    with open(sys.argv[1], "a", buffering=1) as log:
        sys.stderr = log
        serve(live)
