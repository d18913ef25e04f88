"""
Our server beside an original ConnectorDB 0.3, from one generator, in turns.

    python benchmarks/server_original.py --original URL,USER,PASSWORD [--pids PID,…] [--rounds 5] [--seconds 2]
        [--only PATTERN] [--json FILE] [--short]

The original runs already, in its default configuration, with a database that was made for this; where it is can also be said
in CONNECTORDB_ORIGINAL. Without one there is nothing to be measured. Ours is started on a new folder. Of each, a device of
its own is measured, by its API key, with streams of {"type": "number"}; it is left there: deleting it sticks the original's
writer to PostgreSQL, after which every read comes from Redis, at other speeds. The original answers an insert before it
flushes to the disk; ours afterwards. "memory" is that of all processes of a server, shared pages divided among them; the
original's are those of --pids (its server, Redis, gnatsd and PostgreSQL) and their children.

Goals, as ratios: see GOALS. The client is one thread over bare sockets.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import count, repeat
from pathlib import Path
from urllib.parse import quote

from _generator import Api, batch, fan_out, rate
from _programs import ours
from _rounds import options, spread

from connectordb.server import create

POINTS, BATCH, SUBSCRIBERS, CONNECTIONS = 100_000, 5000, 50, 16
TRANSFORM = "if $ > 50 | mean | if last"

#: Figure → the least that its ratio may be, or with a minus the most.
GOALS: Mapping[str, float] = {
    "insert 5000 points a request, points/s": 2,
    "insert 1 point, 1 connection, requests/s": 0.5,
    "insert 1 point, 16 connections, requests/s": 0.5,
    "read 100000 points, points/s": 2,
    "read 100000 points, first byte, ms": -1.5,
    f"read {POINTS} points through '{TRANSFORM}', points/s": 1,
    "read the newest, requests/s": 1.5,
    "read 100 in the middle, requests/s": 2,
    "small GET, 1 connection, requests/s": 0.35,
    "small GET, 16 connections, requests/s": 0.35,
    "fan-out to 50, messages/s": 1.5,
    "fan-out to 50, delay, ms": -1.5,
    "fan-out to 50, 16 publishers, messages/s": 1.5,
    "fan-out to 50, 16 publishers, delay, ms": -1.5,
    "memory, MiB": -0.8,
}


class Subject:
    """A server that is measured, with a device and a full stream of its own."""

    def __init__(self, api: Api, pids: set[int]) -> None:
        user = api.credentials[0]
        api = api.as_device(f"{user}/user")
        self.device = f"{user}/bench{time.time_ns():x}"
        api.call("POST", f"/crud/{self.device}", b"{}")
        self.api = api.as_device(self.device)
        self._number, self._pids = count(), pids
        self.full = self.stream()
        for start in range(0, POINTS, BATCH):
            self.api.call("POST", f"{self.full}/data", batch(start, BATCH))
        if int(self.api.call("GET", f"{self.full}/data?q=length")) != POINTS:
            raise RuntimeError(f"the server at {api.host}:{api.port} has lost points")

    def stream(self) -> str:
        """Make another stream."""
        return self.api.stream(self.device, f"s{next(self._number)}")

    def memory(self) -> float:
        """Return the memory of the processes and of all that descend from them, in MiB; 0 if none are known."""
        listed = subprocess.run(["ps", "-eo", "pid=,ppid=,pss="], capture_output=True, text=True, check=True).stdout
        table, family = [[int(field) for field in line.split()] for line in listed.splitlines()], set(self._pids)
        while more := {pid for pid, parent, _ in table if parent in family} - family:
            family |= more
        return sum(pss for pid, _, pss in table if pid in family) / 1024


# --- the cases: a subject and seconds → figures -----------------------------------------------------------------------


def insert_batches(subject: Subject, seconds: float) -> dict[str, float]:
    """Insert many points a request."""
    path, connection = subject.stream(), subject.api.connect()
    bodies = (batch(start, BATCH) for start in range(0, 2 * POINTS, BATCH))
    requests = [subject.api.request("POST", f"{path}/data", body) for body in bodies]
    return {"points/s": 2 * POINTS / sum(connection.ask(request)[1] for request in requests)}


def read_all(subject: Subject, seconds: float) -> dict[str, float]:
    """Read a whole stream."""
    request, connection = subject.api.request("GET", f"{subject.full}/data?i1=0"), subject.api.connect()
    firsts, totals = zip(*(connection.ask(request) for _ in range(5)), strict=True)
    if not connection.body.rstrip(b"\r\n0").endswith(b"]"):
        raise RuntimeError("a truncated answer")
    return {"points/s": POINTS / statistics.median(totals), "first byte, ms": 1000 * statistics.median(firsts)}


def transformed(subject: Subject, seconds: float) -> dict[str, float]:
    """Read what a transform makes of a whole stream."""
    request = subject.api.request("GET", f"{subject.full}/data?i1=0&transform={quote(TRANSFORM)}")
    connection = subject.api.connect()
    return {"points/s": POINTS / statistics.median(connection.ask(request)[1] for _ in range(5))}


def told(publishers: int) -> Callable[[Subject, float], dict[str, float]]:
    """Return the case of websockets that are told of what is inserted over so many connections."""

    def case(subject: Subject, seconds: float) -> dict[str, float]:
        api, path, inserts = subject.api, subject.stream(), max(20, int(200 * seconds))
        # all of one time, as one connection may overtake another
        insert = repeat(api.request("POST", f"{path}/data", b'[{"t":1500000000,"d":21.5}]'))
        messages, delay = fan_out(
            api, insert, lambda: api.subscribe(path), SUBSCRIBERS, inserts // 4, inserts, publishers
        )
        return {"messages/s": messages, "delay, ms": 1000 * delay}

    return case


def gets(path: str = "", connections: int = 1) -> Callable[[Subject, float], dict[str, float]]:
    """Return the case of a GET below the full stream."""

    def case(subject: Subject, seconds: float) -> dict[str, float]:
        request = subject.api.request("GET", subject.full + path)
        return {"requests/s": rate(subject.api, [repeat(request)] * connections, seconds)}

    return case


def single_inserts(connections: int) -> Callable[[Subject, float], dict[str, float]]:
    """Return the case of inserts of one point, a stream a connection."""

    def case(subject: Subject, seconds: float) -> dict[str, float]:
        sources = [subject.api.inserts(subject.stream()) for _ in range(connections)]
        return {"requests/s": rate(subject.api, sources, seconds)}

    return case


CASES: Mapping[str, Callable[[Subject, float], dict[str, float]]] = {
    f"insert {BATCH} points a request": insert_batches,
    "insert 1 point, 1 connection": single_inserts(1),
    f"insert 1 point, {CONNECTIONS} connections": single_inserts(CONNECTIONS),
    f"read {POINTS} points": read_all,
    f"read {POINTS} points through '{TRANSFORM}'": transformed,
    "read the newest": gets("/data?i1=-1"),
    "read 100 in the middle": gets(f"/data?i1={POINTS // 2}&i2={POINTS // 2 + 100}"),
    "small GET, 1 connection": gets(),
    f"small GET, {CONNECTIONS} connections": gets("", CONNECTIONS),
    f"fan-out to {SUBSCRIBERS}": told(1),
    f"fan-out to {SUBSCRIBERS}, {CONNECTIONS} publishers": told(CONNECTIONS),
}


def main() -> None:
    """Measure, and print a table."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--original", metavar="URL,USER,PASSWORD", default=os.environ.get("CONNECTORDB_ORIGINAL"))
    parser.add_argument("--pids", default="", metavar="PID,…", help="the original's processes, for the memory")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each case that counts requests (2)")
    parser.add_argument("--only", default="", metavar="PATTERN", help="regular expression on the names of the cases")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of all rounds there")
    arguments = parser.parse_args()
    if not arguments.original:
        print("skipped: no original server was given (--original URL,USER,PASSWORD); there is nothing to compare with")
        return
    rounds, seconds = (1, 0.3) if arguments.short else (arguments.rounds, arguments.seconds)
    pids = {int(pid) for pid in arguments.pids.split(",") if pid}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "ours"
        create(folder, test=True)
        with ours(folder) as server:
            subjects = {
                "original": Subject(Api(*arguments.original.split(",")), pids),
                "ours": Subject(Api(server.url, "test", "test"), {server.pid}),
            }
            figures = measured(subjects, rounds, seconds, re.compile(arguments.only))
    for line in table(figures):
        print(line)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


Figures = dict[str, dict[str, list[float]]]


def measured(subjects: Mapping[str, Subject], rounds: int, seconds: float, only: re.Pattern[str]) -> Figures:
    """Return all figures, by what they are and by subject."""
    figures: Figures = defaultdict(lambda: {name: [] for name in subjects})
    for number in range(rounds):
        order = list(subjects.items())[:: 1 if number % 2 else -1]
        for case, measure in CASES.items():
            for name, subject in order if only.search(case) else ():
                for what, value in measure(subject, seconds).items():
                    figures[f"{case}, {what}"][name].append(value)
        for name, subject in order:
            figures["memory, MiB"][name].append(subject.memory())
    return figures


def table(figures: Figures) -> list[str]:
    """Return the lines of a table: medians, the second's divided by the first's, and the goal."""
    lines = ["| case | original | ours | ratio | goal |", "| --- | --- | --- | --- | --- |"]
    for what, values in figures.items():
        original, mine = (statistics.median(values[name]) for name in ("original", "ours"))
        ratio = mine / original if original else float("nan")
        goal = GOALS[what]
        met = ratio >= goal if goal > 0 else ratio <= -goal
        cells = [what, spread(values["original"]), spread(values["ours"]), f"{ratio:.2f}"]
        lines.append(f"| {' | '.join(cells)} | {'≥' if goal > 0 else '≤'} {abs(goal):g}{'' if met else ' MISSED'} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
