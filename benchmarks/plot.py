"""
A picture of a stream of 1,000,000 numbers, against reading them and drawing all of them with matplotlib.

    python benchmarks/plot.py [--rounds 5] [--points 1000000] [--short]

Both end with a PNG file, by `Stream.plot` and by ``pyplot.plot`` of what `Stream.to_numpy` brought; that call alone is measured as well. Goal:
the drawing takes no longer than the reading.
"""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["MPLBACKEND"] = "agg"

from _baselines import KEY
from _database import filled
from _programs import ours
from _rounds import in_turns, options, report
from matplotlib import pyplot

from connectordb import ConnectorDB, Stream


def drawn(stream: Stream, **given: Any) -> None:
    """Draw it by `plot`."""
    stream.plot(**given).figure.savefig(io.BytesIO())  # type: ignore[call-arg]
    pyplot.close()


def all_drawn(stream: Stream, **given: Any) -> None:
    """Draw every point."""
    array = stream.to_numpy(**given)
    pyplot.figure(figsize=(8, 3))
    pyplot.plot(array["t"].astype("M8[s]"), array["d"])
    pyplot.savefig(io.BytesIO())
    pyplot.close()


def timed(work: Callable[..., Any], stream: Stream) -> float:
    """Return the seconds that something takes."""
    began = time.perf_counter()
    work(stream)
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print the figures."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--points", type=int, default=1_000_000)
    given = parser.parse_args()
    count, rounds = (100_000, 2) if given.short else (given.points, given.rounds)
    with tempfile.TemporaryDirectory() as name:
        with filled(Path(name) / "ours") as filling:
            filling.devices([KEY])
            filling.points(KEY, count)
        with ours(Path(name) / "ours") as server, ConnectorDB(KEY, url=server.url) as cdb:
            stream = cdb["s"]
            ways = {"plot": drawn, "all": all_drawn, "read": Stream.to_numpy}
            for way in ways.values():
                way(stream, i1=-10)  # everything is loaded
            figures = in_turns({key: lambda way=way: timed(way, stream) for key, way in ways.items()}, rounds)  # type: ignore[misc]
    report(f"{count:,} points in a picture", figures["plot"], figures["read"], "s", most=2, against="reading them")
    report("the same", figures["plot"], figures["all"], "s", against="drawing every one")


if __name__ == "__main__":
    main()
