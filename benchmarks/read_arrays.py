"""
A stream of 1,000,000 numbers, from our server into arrays, against what one had to write with 0.3.5.

    python benchmarks/read_arrays.py [--rounds 5] [--points 1000000] [--short]

That is: ``requests.get(…).json()``, which is a dict for each point, and arrays of what is in them. Goals, for JSON and for columns of Arrow:
four times as fast, with a sixth of the memory that the program takes more than before, at its highest; a frame of pandas within 1.3
times an array. Each measurement is a process of its own, which has imported everything before, and read a few points over the same
connection. The last lines are the processor time of both sides, which does not depend on who else is busy: what is not done side by
side takes that long.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas  # noqa: F401 - loaded before anything is measured
import requests
from _baselines import KEY, STREAM
from _database import filled
from _programs import ours
from _rounds import in_turns, options, report

from connectordb import ConnectorDB
from connectordb.frames import wire_columns


def as_before(url: str) -> Callable[[str], Any]:
    """Return a function that reads a range as a program for 0.3.5 does."""
    session = requests.Session()

    def read(query: str) -> Any:
        points = session.get(f"{url}/api/v1{STREAM}/data?{query}", auth=("", KEY)).json()
        return numpy.array([point["t"] for point in points]), numpy.array([point["d"] for point in points])

    return read


def to_numpy(url: str) -> Callable[[str], Any]:
    """Return a function that reads a range into an array."""
    stream = ConnectorDB(KEY, url=url)["s"]
    return lambda query: stream.to_numpy() if query == "i1=0&i2=0" else stream.to_numpy(i1=-10)


def as_columns(url: str) -> Callable[[str], Any]:
    """Return a function that does the same where JSON is not decoded quickly."""
    wire_columns.are_wanted = lambda: True
    return to_numpy(url)


def to_df(url: str) -> Callable[[str], Any]:
    """Return a function that reads a range into a frame."""
    stream = ConnectorDB(KEY, url=url)["s"]
    return lambda query: stream.to_df() if query == "i1=0&i2=0" else stream.to_df(i1=-10)


def peak() -> int:
    """Return the most memory that this process ever took, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


WAYS = {"as_before": as_before, "to_numpy": to_numpy, "as_columns": as_columns, "to_df": to_df}


def measured(way: str, url: str) -> None:
    """Read all points in one way, and print the seconds, those of the processor, and the KiB that it took."""
    read = WAYS[way](url)
    read("i1=-10")
    before, start, processor = peak(), time.perf_counter(), time.process_time()
    read("i1=0&i2=0")
    print(time.perf_counter() - start, time.process_time() - processor, peak() - before)


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--points", type=int, default=1_000_000)
    arguments = parser.parse_args()
    rounds, number = (2, 100_000) if arguments.short else (arguments.rounds, arguments.points)
    memory: dict[str, list[float]] = {way: [] for way in WAYS}
    processor: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with filled(folder / "ours") as filling:
            filling.devices([KEY])
            filling.points(KEY, number)
        with ours(folder / "ours") as server:
            as_columns(server.url)("i1=-10")  # so that the server has loaded Arrow

            def measure(way: str) -> float:
                command = [sys.executable, __file__, "--way", way, server.url]
                spent = server.processor()
                printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                seconds, own, taken = map(float, printed.split())
                memory[way].append(taken / 1024)
                processor[way].append(own + server.processor() - spent)
                return number / seconds

            figures = in_turns({way: lambda way=way: measure(way) for way in WAYS}, rounds)  # type: ignore[misc]
    before = "0.3.5's way"
    for way, title in (("to_numpy", "to NumPy over JSON"), ("as_columns", "to NumPy as columns")):
        title = f"{number:,} points {title}"
        report(title, figures[way], figures["as_before"], "points/s", least=4, against=before)
        report(f"{title}, memory", memory[way], memory["as_before"], "MiB", most=1 / 6, against=before)
        report(f"{title}, processor", processor[way], processor["as_before"], "s", most=1, against=before)
    frame = [1 / rate for rate in figures["to_df"]]
    array = [1 / rate for rate in figures["to_numpy"]]
    report("to_df, time", frame, array, "µs a point", most=1.3, against="to_numpy", scale=1e6)
    print(f"to_df, memory: {statistics.median(memory['to_df']):.0f} MiB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        measured(*sys.argv[2:])
    else:
        main()
