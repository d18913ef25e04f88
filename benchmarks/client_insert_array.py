"""
What ``insert_array`` of many points costs, against ``json.dumps`` and requests, with a server that answers at once.

    python benchmarks/client_insert_array.py [--points 1000000] [--rounds 5] [--short]

Goals: with orjson, 3 times as many points a second as a program that cuts them into inserts of 5000, writes each with ``json.dumps`` and
posts it with a ``requests.Session``, which checks nothing; all checks of ours included. From an iterator, what is held is bounded by
an insert: the highest use of memory in `tracemalloc`'s reckoning, for many inserts as for a few.

Both in seconds and in processor time of the client alone; the first includes what the server takes.

The server is ``_sink.py``, a process of its own, which takes what comes and forgets it.
"""

from __future__ import annotations

import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import requests
from _programs import started
from _rounds import figure, in_turns, options, report

from connectordb import DATAPOINT_INSERT_LIMIT, ConnectorDB, Stream

_SINK = str(Path(__file__).with_name("_sink.py"))
_PATH = "bench/device/s"

Points = Iterable[dict[str, Any]]

#: Inserts of an iterator of which the memory is looked at: a few, and many.
_FEW, _MANY = 3, 30

#: MiB that these may differ by.
_GROWTH = 0.5


def numbers(count: int) -> Iterator[dict[str, Any]]:
    """Yield points as a sensor has them."""
    return ({"t": 1.7e9 + 0.1 * n, "d": 20 + n % 1000 / 7} for n in range(count))


def objects(count: int) -> Iterator[dict[str, Any]]:
    """Yield points whose values are objects."""
    return ({"t": 1.7e9 + 0.1 * n, "d": {"on": n % 2 == 0, "level": n % 100, "by": "mara"}} for n in range(count))


def bare(url: str, points: Points) -> None:
    """Insert with ``json.dumps`` and requests."""
    with requests.Session() as session:
        session.auth = ("", "key")
        flow = iter(points)
        while chunk := list(islice(flow, DATAPOINT_INSERT_LIMIT)):
            session.post(f"{url}/api/v1/crud/{_PATH}/data", data=json.dumps(chunk)).raise_for_status()


def timed(make: Callable[[], Points], insert: Callable[[Points], None], processor: list[float]) -> float:
    """Return the seconds that an insert takes, and note those of this process's processor time."""
    points = make()
    began, used = time.perf_counter(), time.process_time()
    insert(points)
    processor.append(time.process_time() - used)
    return time.perf_counter() - began


def held(stream: Stream, inserts: int) -> float:
    """Return the highest use of memory while so many inserts come out of an iterator, in MiB."""
    tracemalloc.start()
    try:
        stream.insert_array(numbers(inserts * DATAPOINT_INSERT_LIMIT))
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def main() -> None:
    """Measure, and print the figures."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--points", type=int, default=1_000_000)
    given = parser.parse_args()
    count, rounds = (20_000, 2) if given.short else (given.points, given.rounds)
    with started(sys.executable, _SINK) as sink, ConnectorDB("key", url=sink.url, connect=False) as cdb:
        stream: Stream = cdb(_PATH)
        for what, flow in {"numbers": numbers, "objects": objects}.items():
            for shape, make in {
                "a list": lambda flow=flow: list(flow(count)),
                "an iterator": partial(flow, count),
            }.items():
                ways: dict[str, Callable[[Points], None]] = {
                    "bare": partial(bare, sink.url),
                    "ours": stream.insert_array,
                }
                processor: dict[str, list[float]] = {name: [] for name in ways}
                seconds = in_turns(
                    {name: partial(timed, make, way, processor[name]) for name, way in ways.items()}, rounds
                )
                for measured, unit in ((seconds, "points a second"), (processor, "points a second of processor time")):
                    rates = {name: [count / each for each in taken] for name, taken in measured.items()}
                    report(
                        f"insert_array of {count:,} {what}, {shape}",
                        *(rates["ours"], rates["bare"], unit),
                        least=3 if (what, shape) == ("numbers", "a list") else 0,
                        against="json.dumps and requests",
                    )
        few, many = held(stream, _FEW), held(stream, _MANY)
        figure(f"memory for {_FEW} inserts of an iterator", few, "MiB")
        figure(f"more for {_MANY}", many - few, "MiB", most=_GROWTH)


if __name__ == "__main__":
    main()
