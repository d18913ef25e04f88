"""
A frame of 1,000,000 numbers into a stream, against the loop that one writes without `insert_df`.

    python benchmarks/insert_df.py [--points 1000000] [--rounds 5] [--short]

The loop takes 5000 rows of the frame at a time, makes a dict of each, and hands these to ``insert_array``. Goal: three times as fast; with
our own server, and with one that takes what comes and forgets it (``_sink.py``), which shows what the client itself takes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy
import pandas
from _baselines import KEY
from _database import filled
from _programs import ours, started
from _rounds import in_turns, options, report

from connectordb import DATAPOINT_INSERT_LIMIT, ConnectorDB, Stream

_SINK = str(Path(__file__).with_name("_sink.py"))


def frame_of(count: int) -> pandas.DataFrame:
    """Return a frame as a sensor makes it: ten values a second, with two digits behind the point."""
    rows = numpy.arange(count)
    index = pandas.to_datetime(1_700_000_000_000_000_000 + 100_000_000 * rows, utc=True)
    return pandas.DataFrame({"d": 20 + rows % 1000 / 100}, index=index)


def by_hand(stream: Stream, frame: pandas.DataFrame) -> None:
    """Insert it as one does without `insert_df`."""
    for begin in range(0, len(frame), DATAPOINT_INSERT_LIMIT):
        part = frame["d"].iloc[begin : begin + DATAPOINT_INSERT_LIMIT]
        stream.insert_array([{"t": t.timestamp(), "d": d} for t, d in part.items()])


def timed(
    insert: Callable[[Stream, pandas.DataFrame], None], streams: Callable[[], Stream], frame: pandas.DataFrame
) -> float:
    """Return the points a second of an insert into a new stream."""
    stream = streams()
    began = time.perf_counter()
    insert(stream, frame)
    return len(frame) / (time.perf_counter() - began)


def main() -> None:
    """Measure, and print the figures."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--points", type=int, default=1_000_000)
    given = parser.parse_args()
    count, rounds = (50_000, 2) if given.short else (given.points, given.rounds)
    frame = frame_of(count)
    ways = {"insert_df": Stream.insert_df, "by hand": by_hand}

    def measure(where: str, streams: Callable[[], Stream]) -> None:
        figures = in_turns({name: partial(timed, way, streams, frame) for name, way in ways.items()}, rounds)
        report(
            f"insert_df of {count:,} numbers, {where}",
            *(figures["insert_df"], figures["by hand"], "points/s"),
            least=3,
            against="a loop of insert_array",
        )

    with started(sys.executable, _SINK) as sink, ConnectorDB("key", url=sink.url, connect=False) as cdb:
        measure("the client alone", lambda: cdb("bench/device/s"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "ours"
        with filled(folder) as filling:
            filling.devices([KEY])
        with ours(folder) as server, ConnectorDB(KEY, url=server.url) as cdb:
            made = iter(range(10**6))

            def another() -> Stream:
                stream = cdb[f"s{next(made)}"]
                stream.create({"type": "number"})
                return stream

            measure("with our server", another)


if __name__ == "__main__":
    main()
