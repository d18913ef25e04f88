"""
Daemons killed at every step between receiving a command and being done with it.

``python -m tests.live_faults.daemon_kills`` kills 200 at each place, with both choices of ``on_crash``, with answers recorded or not, and
where the server knows inserts by name or is not asked to; it prints its figures, and ends with the status 1 if a command was acted on,
acknowledged or recorded otherwise than promised. The promise is `Expected`; the table in ``docs/topics/commands.rst`` says it in words.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from connectordb import ConnectorDB

from ..support.nursery import Nursery
from ..support.server import run_server
from .daemon import BROKEN, PLACES, RECORDING, Orders

#: Kills at each place, in a long run and in a short one.
COUNT, SHORT = 200, 2

#: Seconds that a daemon lives at the most which is killed at any moment: as long as it takes to log in, and a few commands.
LIFE = 0.1

#: What is wrong where a daemon never came.
_NOT_KILLED = "the daemon that was to be killed at"


@dataclass(frozen=True)
class Setting:
    """The choices of a daemon, under which it is killed."""

    on_crash: str
    answers: bool
    keyed: bool

    @property
    def places(self) -> list[str]:
        """Where it can be killed."""
        return [place for place in PLACES if self.answers or place not in RECORDING]

    def __str__(self) -> str:
        words = (f"on_crash={self.on_crash}", "answers" if self.answers else "", "" if self.keyed else "without names")
        return ", ".join(word for word in words if word)


#: The setting under which each rule is needed.
FINDS_BROKEN = Setting("skip", answers=True, keyed=True)

SETTINGS = [Setting(*choices) for choices in itertools.product(("again", "skip"), (False, True), (True, False))]


@dataclass(frozen=True)
class Expected:
    """What is promised of a command whose daemon was killed at *place*: how often it is acted on, and whether it is acknowledged."""

    acted: int
    acknowledged: bool

    @classmethod
    def of(cls, place: str, on_crash: str) -> Expected:
        """Return the promise."""
        before, after = ("begun", "before acting"), ("after acting", "acted", "torn owed")
        if place not in (*before, *after):
            return cls(1, True)
        if on_crash == "again":
            return cls(1 if place in before else 2, True)
        return cls(0 if place in before else 1, False)


class Run:
    """
    Daemons of one setting on one stream, each of which is killed at its command; the next one goes on.

    Args:
        nursery: Where daemons are born.
        device: The device, as its user sees it.
        url: The server.
        setting: What the daemons are told.
        work: A folder.
        broken: A rule that the daemons do without.
    """

    def __init__(
        self, nursery: Nursery, device: ConnectorDB, url: str, setting: Setting, work: Path, broken: str = ""
    ) -> None:
        self._nursery = nursery
        self._setting = setting
        name = f"lamp{uuid.uuid4().hex[:12]}"
        self._stream = device[name]
        self._stream.create({"type": "integer"}, downlink=True)
        self._records = device[f"{name}_answers"]
        self._folder = work / name
        self._folder.mkdir()
        self._orders = Orders(
            url,
            device.apikey or "",
            self._stream.path,
            str(self._folder),
            setting.on_crash,
            setting.answers,
            setting.keyed,
            broken=broken,
        )

    def kill(self, commander: ConnectorDB, places: Sequence[str]) -> list[str]:
        """Command once for each of *places*, kill a daemon at each, and return what is wrong then."""
        begin = time.time()
        # equal values, and equal times now and then
        commander(self._stream.path).insert_array(
            [{"t": begin + index // 2, "d": index % 3} for index in range(len(places))]
        )
        wrong = []
        for index, place in enumerate(places):
            status = self._live(replace(self._orders, kill=place, index=index))
            if status != -signal.SIGKILL:
                wrong.append(f"command {index}: {_NOT_KILLED} {place!r} ended with {status}")
        status = self._live(self._orders)
        if status != 0:
            wrong.append(f"the last daemon ended with {status}")
        return wrong + list(self._check(places))

    def storm(self, commander: ConnectorDB, kills: int, chance: random.Random) -> list[str]:
        """Kill so many daemons at any moment, while commands wait; return what is wrong then."""
        number, begin = 8 * kills, time.time()
        commander(self._stream.path).insert_array(
            [{"t": begin + index // 2, "d": index % 3} for index in range(number)]
        )
        tick = threading.Event()
        for _ in range(kills):
            daemon = self._nursery.start(self._orders.words())
            tick.wait(chance.random() * LIFE)
            self._nursery.kill(daemon)
        status = self._live(self._orders)
        return ([f"the last daemon ended with {status}"] if status else []) + list(self._check_storm(number))

    def _check_storm(self, number: int) -> Iterator[str]:
        """What is promised whenever they were killed: only what was acted on is acknowledged, once, and nothing else is lost."""
        acted = self._acted()
        acknowledged = [int(point["d"]) for point in self._stream]
        if acknowledged != sorted(set(acknowledged)):
            yield "acknowledged too often, or out of order"
        for index in range(number):
            is_done = index in acknowledged
            if is_done and not acted[index]:
                yield f"command {index}: acknowledged, and not acted on"
            if not is_done and self._setting.on_crash == "again":
                yield f"command {index}: not acknowledged"
            if acted[index] > 1 and self._setting.on_crash == "skip":
                yield f"command {index}: acted on {acted[index]} times"
        if self._setting.answers:
            records = [(int(point["d"]["command"]), point["d"]["outcome"] == "done") for point in self._records]
            if records != [(index, index in acknowledged) for index in range(number)]:
                yield f"recorded is {records}"

    def _acted(self) -> Counter[int]:
        file = self._folder / "acted"
        return Counter(int(line) for line in file.read_text().split()) if file.exists() else Counter()

    def _live(self, orders: Orders) -> int:
        return self._nursery.wait(self._nursery.start(orders.words()))

    def _check(self, places: Sequence[str]) -> Iterator[str]:
        expected = [Expected.of(place, self._setting.on_crash) for place in places]
        acted = self._acted()
        for index, (place, promise) in enumerate(zip(places, expected, strict=True)):
            if acted[index] != promise.acted:
                yield f"command {index}, killed at {place!r}: acted on {acted[index]} times, not {promise.acted}"
        acknowledged = [int(point["d"]) for point in self._stream]
        promised = [index for index, promise in enumerate(expected) if promise.acknowledged]
        if acknowledged != promised:
            missing, more = Counter(promised) - Counter(acknowledged), Counter(acknowledged) - Counter(promised)
            yield f"acknowledged: missing {_named(missing, places)}, too often {_named(more, places)}, or out of order"
        if self._setting.answers:
            yield from self._check_records(places, expected)

    def _check_records(self, places: Sequence[str], expected: Sequence[Expected]) -> Iterator[str]:
        records = [point["d"] for point in self._records]
        if [int(record["command"]) for record in records] != list(range(len(places))):
            yield f"the records are of the commands {[record['command'] for record in records]}"
            return
        stored = {int(point["d"]): point for point in self._stream}
        for index, (record, promise) in enumerate(zip(records, expected, strict=True)):
            outcome = "done" if promise.acknowledged else "skipped"
            answer = [{"t": stored[index]["t"], "d": index}] if promise.acknowledged else None
            if record["outcome"] != outcome or record.get("answer") != answer:
                yield f"command {index}, killed at {places[index]!r}: recorded as {record}, expected {outcome} {answer}"


def _named(indices: Counter[int], places: Sequence[str]) -> list[str]:
    return [f"{index} ({places[index]})" for index in sorted(indices.elements())]


def nursery(log: Path) -> Nursery:
    """Return where daemons are born; what they complain of goes into *log*, as their output is a protocol."""
    return Nursery("tests.live_faults.daemon", log)


def run(
    born: Nursery, url: str, admin: ConnectorDB, settings: Sequence[Setting], count: int, work: Path, broken: str = ""
) -> list[str]:
    """Kill *count* daemons of each setting at each place; return what is wrong, and print figures."""
    name = f"kills{uuid.uuid4().hex[:12]}"
    user = admin(name)
    user.create(f"{name}@example.org", "secret", devices={"lamp": {}})
    wrong: list[str] = []
    chance = random.Random()
    with (
        ConnectorDB(user["lamp"].apikey, url=url) as device,
        ConnectorDB(user["user"].apikey, url=url) as commander,
    ):
        for setting in settings:
            begin = time.monotonic()
            places, storm = setting.places * count, 5 * count
            found = Run(born, device, url, setting, work, broken).kill(commander, places)
            found += Run(born, device, url, setting, work, broken).storm(commander, storm, chance)
            wrong += [f"{setting}: {problem}" for problem in found]
            took = time.monotonic() - begin
            print(
                f"{setting}: {len(places)} kills at {len(setting.places)} places, {storm} at any moment, in {took:.1f} s: "
                f"{len(found)} wrong",
                flush=True,
            )
    user.delete()
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the status."""
    parser = argparse.ArgumentParser(prog="python -m tests.live_faults.daemon_kills", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help=f"kills at each place (default {COUNT})")
    parser.add_argument("--short", action="store_true", help=f"{SHORT} at each, for CI")
    parser.add_argument("--setting", default="", help="only those whose names, as they are printed, have this in them")
    parser.add_argument("--broken", action="store_true", help="have daemons do without one rule after the other")
    parser.add_argument(
        "--url", default="", help="a server that runs, with an administrator test, test; otherwise one of our own"
    )
    options = parser.parse_args(arguments)
    count = SHORT if options.short else options.count
    settings = [setting for setting in SETTINGS if options.setting in str(setting)]
    work = Path(tempfile.mkdtemp(prefix="connectordb-kills-"))
    try:
        with ExitStack() as stack:
            url = options.url or stack.enter_context(run_server()).url
            admin = stack.enter_context(ConnectorDB("test", "test", url=url))
            born = stack.enter_context(closing(nursery(work / "log")))
            if options.broken:
                return 1 if _not_found(born, url, admin, work) else 0
            wrong = run(born, url, admin, settings, count, work)
    finally:
        shutil.rmtree(work)
    for problem in wrong:
        print("WRONG:", problem)
    return 1 if wrong else 0


def _not_found(born: Nursery, url: str, admin: ConnectorDB, work: Path) -> list[str]:
    """Return the rules that daemons can do without and nobody notices."""
    unseen = []
    for rule in BROKEN:
        # that a place is never reached is no wonder, where the rule is not kept that leads there
        wrong = [found for found in run(born, url, admin, [FINDS_BROKEN], 1, work, rule) if _NOT_KILLED not in found]
        print(f"without the rule that it {rule}: {wrong[0] if wrong else 'NOT FOUND'}", flush=True)
        unseen += [] if wrong else [rule]
    return unseen


if __name__ == "__main__":
    sys.exit(main())
