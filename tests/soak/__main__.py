"""
A day's traffic of 100 streams, compressed into some minutes, against the embedded server in a process of its own.

    python -m tests.soak [--minutes 15] [--streams 100] [--points 86400] [--short]

Four writers insert; meanwhile subscribers come and go, one stays, some do not read; devices are made and deleted; there are
logins by password, reads of all sizes, merges, feeds, and clients that hang up in the middle of an answer. Held is: memory,
files, threads and the write-ahead log stay what they were; each acknowledged point is there, once and in order; every
subscriber got its points once and in order; nothing stays of clients that are gone; the log has no error.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import threading
import time
from pathlib import Path

from ..support.server_process import ServerProcess
from . import bustle, company
from .calling import PATIENCE, Caller, Crew, Failed
from .gauge import MIB, Gauge
from .writers import Streams

_WRITERS = 4

#: Seconds in which everything that came with clients must be gone.
_SETTLING = 40.0


def main() -> int:
    """Run, hold, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15.0, help="how long the inserting is to take (15)")
    parser.add_argument("--streams", type=int, default=100, help="streams (100)")
    parser.add_argument(
        "--points", type=int, default=86_400, help="points of each, one for each second of a day (86400)"
    )
    parser.add_argument("--short", action="store_true", help="some 15 seconds")
    options = parser.parse_args()
    if options.short:
        options.minutes, options.points = 0.13, 1000
    with tempfile.TemporaryDirectory(prefix="connectordb-test-") as folder:
        with ServerProcess(Path(folder)) as server:
            problems = soak(server, Streams(options.streams, options.points), options.minutes)
            problems += re.findall(r"^.*(?:ERROR|CRITICAL|Traceback).*(?:\n(?!\d{4}-).*)*", server.said(), re.M)[:5]
    for problem in problems:
        print(problem[:4000])
    print(f"{len(problems)} problems")
    return 1 if problems else 0


def soak(server: ServerProcess, streams: Streams, minutes: float) -> list[str]:
    """Do all of it, and return what went wrong, in words."""
    admin = Caller(server.url, "test", "test")
    key = admin.json("GET", "crud/test/user")["apikey"]
    admin.close()
    admin = Caller(server.url, "", key)
    streams.create(admin)
    before = (server.counts(), server.usage())
    crew, gauge = Crew(), Gauge(server, max(0.1, minutes * 60 / 300))
    began = time.monotonic()
    writers = _start(server.url, key, admin.authorization, streams, crew, minutes)
    shown = began
    while any(writer.is_alive() for writer in writers):
        time.sleep(0.5)
        if time.monotonic() - shown > 60:
            shown = time.monotonic()
            print(f"{shown - began:5.0f} s: {streams.total} points, {gauge.last()}", flush=True)
    taken = time.monotonic() - began
    gauge.end()
    crew.end()
    admin.close()
    print(
        f"{streams.total} points in {len(streams.paths)} streams, in {taken:.0f} s ({streams.total / taken:.0f} a second)"
    )
    print("meanwhile:", ", ".join(f"{number} {what}" for what, number in sorted(crew.did.items())))
    print("\n".join(gauge.table()))
    problems = [*crew.failures, *gauge.grown(), *_left(server, before[0])]
    after = server.usage()
    size = sum(file.stat().st_size for file in server.database.iterdir())
    print(
        f"before: {before[1]}\nafter:  {after}\non disk: {size / MIB:.0f} MiB, {size / max(1, streams.total):.1f} bytes a point"
    )
    try:
        streams.check(server.url)
    except Failed as failed:
        problems.append(str(failed))
    return problems


def _start(
    url: str, key: str, authorization: str, streams: Streams, crew: Crew, minutes: float
) -> list[threading.Thread]:
    """Start everybody; return the writers' threads."""
    ready = threading.Event()
    crew.start("stays", lambda dice: company.stay(url, authorization, streams, crew, ready))
    for n in range(6):
        crew.repeat(f"subscribers {n}", 0.5, lambda dice: company.come_and_go(url, authorization, streams, crew, dice))
    crew.repeat("who do not read", 5, lambda dice: company.do_not_read(url, authorization, streams, crew))
    crew.repeat("who hang up in an answer", 1, lambda dice: company.read_slowly(url, key, streams, crew, dice))
    crew.repeat("devices made and deleted", 0.5, lambda dice: bustle.make_and_delete(url, key, dice))
    crew.repeat("logins", 2, lambda dice: bustle.log_in(url))
    crew.repeat("reads", 0.2, lambda dice: bustle.read(url, key, streams, dice))
    crew.repeat("long reads", 3, lambda dice: bustle.read_all(url, key, streams, dice))
    crew.repeat("feeds", 1, lambda dice: bustle.read_feed(url, key, streams, dice))
    if not ready.wait(PATIENCE):  # whoever stays is to hear of the first points
        crew.ending.set()
    return [
        crew.start(f"writer {n}", lambda dice, n=n: streams.write(url, crew, streams.paths[n::_WRITERS], minutes, dice))
        for n in range(_WRITERS)
    ]


def _left(server: ServerProcess, before: dict[str, int]) -> list[str]:
    """Return what of clients that are gone is still there after a while."""
    deadline = time.monotonic() + _SETTLING
    while True:
        counts = server.counts()
        left = [
            f"{counts[name]} {name} where there were {number}"
            for name, number in before.items()
            if counts[name] > number + 2
        ]
        if not left or time.monotonic() > deadline:
            return [f"left of clients that are gone: {', '.join(left)}"] if left else []
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
