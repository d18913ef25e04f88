"""
``stream[-1]``, by one thread and by many, against a bare `requests.Session` that gets the same URL and reads no JSON.

    python benchmarks/client_small_read.py [--rounds 9] [--reads 1000] [--threads 32] [--short]

Goals: by one thread 0.8 times its time; by 32 threads that share one connection object, 0.8 times the reads a second of 32 that have a
session each. Timeouts, the whole answer, JSON and the datapoint included.

The server is ``_answerer.py``, a process of its own, which has nothing to do.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import requests
from _programs import started
from _rounds import in_turns, options, report

from connectordb import ConnectorDB

_ANSWERER = str(Path(__file__).with_name("_answerer.py"))
_PATH = "bench/device/s"

#: What makes a reader for a thread.
Maker = Callable[[], Callable[[], object]]


def bare(url: str) -> Callable[[], object]:
    """Return what gets the newest point with requests."""
    session = requests.Session()
    session.auth = ("", "key")
    address = f"{url}/api/v1/crud/{_PATH}/data?i1=-1&i2=0"
    return lambda: session.get(address).content


def alone(make: Maker, reads: int, processor: list[float]) -> float:
    """Return the microseconds that a read takes, and note those of this process's processor time."""
    read = make()
    read()  # connects
    began, used = time.perf_counter(), time.process_time()
    for _ in range(reads):
        read()
    processor.append((time.process_time() - used) / reads * 1e6)
    return (time.perf_counter() - began) / reads * 1e6


def together(make: Maker, threads: int, reads: int) -> float:
    """Return how many reads a second so many threads make, all of them together."""
    ready = threading.Barrier(threads + 1)

    def work() -> None:
        read = make()
        read()
        ready.wait()
        for _ in range(reads):
            read()

    working = [threading.Thread(target=work) for _ in range(threads)]
    for thread in working:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in working:
        thread.join()
    return threads * reads / (time.perf_counter() - began)


def main() -> None:
    """Measure, and print the figures."""
    parser = options(__doc__)
    parser.add_argument("--reads", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=32)
    given = parser.parse_args()
    rounds, reads = (2, 50) if given.short else (given.rounds, given.reads)
    with started(sys.executable, _ANSWERER) as server, ConnectorDB("key", url=server.url, connect=False) as cdb:
        stream = cdb(_PATH)
        makers: dict[str, Maker] = {"ours": lambda: lambda: stream[-1], "bare": partial(bare, server.url)}
        processor: dict[str, list[float]] = {name: [] for name in makers}
        one = in_turns({name: partial(alone, make, reads, processor[name]) for name, make in makers.items()}, rounds)
        against = "requests.Session().get"
        report("stream[-1], one thread", one["ours"], one["bare"], "µs", most=0.8, against=against)
        report(
            "stream[-1], one thread",
            processor["ours"],
            processor["bare"],
            "µs of processor time",
            most=0.8,
            against=against,
        )
        share = max(1, reads // given.threads)
        many = in_turns({name: partial(together, make, given.threads, share) for name, make in makers.items()}, rounds)
        title = f"stream[-1], {given.threads} threads on one object"
        report(title, many["ours"], many["bare"], "reads/s", least=0.8, against=f"{given.threads} sessions")


if __name__ == "__main__":
    main()
