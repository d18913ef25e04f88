"""
Malformed requests and websocket frames by the hundred thousand, against the embedded server in a process of its own.

    python -m tests.fuzz [--requests 100000] [--seed N] [--short]

Hypothesis makes them out of a catalogue (names, parameters, values, bodies, headers, framing, handshakes, frames), for every
actor; several go over one connection, one behind the other. Held is: none is answered with 500, each that is HTTP is answered
in time and in the form that an answer has, the next request is answered right, nothing stays that came with a client, and the
server's log has no error. What fails is shrunk, printed, and kept in ``.hypothesis/fuzz``, from where it is tried first.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from ..support.server_process import ServerProcess
from .catalogue import KEYS
from .frames import Session, attend, sessions
from .making import Dialogue, by_everybody, dialogues, heavy
from .population import Population
from .stalls import PATIENCE, Stalled
from .talking import Wrong, hold

_CONFIG = f"""
[login]
refused_delay = 0.0
[limits]
header_seconds = {PATIENCE}
body_seconds = {PATIENCE}
idle_seconds = {PATIENCE}
"""

#: Dialogues, and sessions of websockets, between two looks at all the rest.
_ROUND = 40

#: The part of all requests after which the server must not grow any more.
_WARMING = 0.4

#: Kinds of heavy dialogues.
_HEAVY = 32

#: Dialogues that are held at once.
_AT_ONCE = 3

#: Bytes that the server may have grown by at the end, against what it had after four tenths of all requests.
_GROWTH = 32 * 1024 * 1024

#: Seconds in which everything that came with clients must be gone.
_SETTLING = 20.0


class Run:
    """A server under fire, and what came of it."""

    def __init__(self, server: ServerProcess, *, heavily: bool) -> None:
        self.server = server
        self.heavily = heavily
        self.address = ("127.0.0.1", server.port)
        self.statuses: Counter[int] = Counter()
        self.busy: Counter[str] = Counter()
        self.requests = self.frames = self.messages = 0
        self.population = Population(self.address)
        self.stalled = Stalled(self.address)
        self._crew = ThreadPoolExecutor(_AT_ONCE, "fuzz")

    def dialogue(self, dialogue: Dialogue) -> None:
        """Hold one dialogue as it was made, then as each actor would, several at once."""
        spoken = [dialogue, *by_everybody(dialogue, self.population.cookie)]
        for answers in self._crew.map(lambda one: hold(self.address, one), spoken):
            self.statuses.update(answer.status for answer in answers)
            self.busy.update(
                json.loads(answer.body)["msg"] for answer in answers if answer.status == 503 and answer.body
            )
        self.requests += sum(len(one.requests) for one in spoken)

    def session(self, session: Session) -> None:
        """Attend one session of a websocket as it was made, then as some others would, several at once."""
        attended = [session, *(replace(session, key=key) for key in KEYS[:3])]
        self.messages += sum(self._crew.map(lambda one: attend(self.address, one), attended))
        self.frames += len(session.frames) * len(attended)

    def heavy(self, number: int) -> None:
        """Ask what takes the server long."""
        self.statuses.update(answer.status for answer in hold(self.address, heavy(number)))

    def settle(self) -> dict[str, int]:
        """Wait until everything that came with clients is gone, and return what there is; raise `Wrong` if something stays."""
        self.stalled.end()
        deadline = time.monotonic() + _SETTLING
        while True:
            counts = self.server.counts()
            left = {
                name: counts[name] for name in ("Outbox", "_Connection", "WebSocketResponse", "Pages", "subscriptions")
            }
            if not any(left.values()):
                return counts
            if time.monotonic() > deadline:
                raise Wrong(f"this stays though all clients are gone: {left}")
            time.sleep(0.1)

    def round(self, number: int, database: DirectoryBasedExampleDatabase) -> None:
        """Make some dialogues and sessions, then look whether the server is well."""
        for strategy, work, some in ((dialogues(), self.dialogue, _ROUND), (sessions(), self.session, _ROUND // 2)):
            _hypothesis(strategy, work, number, some, database, self.population.check)
        self.stalled.look()
        if number % 5 == 0:
            self.stalled.begin()
            if self.heavily:
                self.heavy(number // 5)
        self.population.renew()


def _hypothesis(
    strategy: Any, work: Callable[[Any], None], number: int, examples: int, database: Any, look: Callable[[], None]
) -> None:
    @seed(number)
    @settings(max_examples=examples, database=database, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def attempt(made: Any) -> None:
        work(made)
        look()

    # what fails is kept by what was being tried
    attempt.hypothesis.inner_test.__qualname__ = work.__qualname__  # type: ignore[attr-defined]
    attempt()


def main() -> int:
    """Fire, look, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--requests", type=int, default=100_000, help="requests in all, beside websocket frames (100000)"
    )
    parser.add_argument("--seed", type=int, help="makes the same requests again (told at the beginning)")
    parser.add_argument("--short", action="store_true", help="a few thousand requests, always the same ones")
    options = parser.parse_args()
    wanted = 4000 if options.short else options.requests
    start = options.seed if options.seed is not None else 0 if options.short else random.randrange(10**9)
    print(f"python -m tests.fuzz --requests {wanted} --seed {start}", flush=True)
    database = DirectoryBasedExampleDatabase(".hypothesis/fuzz")
    with tempfile.TemporaryDirectory(prefix="connectordb-test-") as folder:
        with ServerProcess(Path(folder), _CONFIG, cheap_passwords=True) as server:
            try:
                fire(Run(server, heavily=not options.short), wanted, start, database)
            finally:
                errors = re.findall(r"^.*(?:ERROR|CRITICAL|Traceback).*(?:\n(?!\d{4}-).*)*", server.said(), re.M)
                for error in errors[:5]:
                    print("the server's log:", error[:3000])
    return 1 if errors else 0


def fire(run: Run, wanted: int, start: int, database: DirectoryBasedExampleDatabase) -> None:
    """Make so many requests, and hold what the server is at the end against what it was before."""
    began = time.monotonic()
    number, base, shown = start, None, 0.0
    for kind in range(_HEAVY if run.heavily else 0):
        run.heavy(kind)  # the memory that they need is kept by the process, once
    while run.requests < wanted:
        run.round(number, database)
        number += 1
        if base is None and run.requests >= wanted * _WARMING:
            base = (run.settle(), run.server.usage())
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"{shown - began:5.0f} s: {run.requests} requests, {run.server.usage()}", flush=True)
    assert base is not None
    counts, usage = run.settle(), run.server.usage()
    seconds = time.monotonic() - began
    print(
        f"{run.requests} requests and {run.frames} frames in {seconds:.0f} s ({run.requests / seconds:.0f} a second), "
        f"{run.stalled.number} clients that stalled; answers by status: {dict(sorted(run.statuses.items()))}"
    )
    print(f"{run.messages} messages came over websockets; what 503 said: {dict(run.busy)}")
    print(f"after four tenths: {base[1]}, {base[0]}")
    print(f"at the end:         {usage}, {counts}")
    growth = {
        "file descriptors": usage.files - base[1].files,
        "threads": usage.threads - base[1].threads,
        "tasks": counts["Task"] - base[0]["Task"],
    }
    for what, more in growth.items():
        if more > 2:
            raise Wrong(f"{more} more {what} than after four tenths of the requests")
    if usage.memory - base[1].memory > _GROWTH:
        raise Wrong(
            f"{(usage.memory - base[1].memory) / 2**20:.0f} MiB more memory than after four tenths of the requests"
        )


if __name__ == "__main__":
    sys.exit(main())
