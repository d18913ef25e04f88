"""
What `Logger.sync` costs above POSTing the same bytes, ready made, with requests.

    python benchmarks/logger_sync.py [--points 500000] [--rounds 7] [--folder DIR] [--short]

The server is ``_sink.py``: it takes what comes and forgets it, so that what is measured is the client. A sync reads the
points from its file, writes down each batch durably before it is sent, and takes it off durably afterwards. Where the disk is
busy, a sync waits for that, and what POSTs does not: so the processor time of both is said as well.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import requests
from _programs import started
from _rounds import in_turns, options, report

from connectordb.logger import Logger

_BATCH = 5000
_SINK = str(Path(__file__).with_name("_sink.py"))


def filled(path: Path, number: int) -> None:
    """Make a cache file in which so many points wait."""
    with Logger(path) as log:
        log.addStream_force("s", {"type": "number"})
        for first in range(0, number, 50_000):
            points = ({"t": 1.6e9 + n + 0.25, "d": n % 1000 / 10} for n in range(first, min(first + 50_000, number)))
            log.insert_many({"s": list(points)})


def bodies(number: int) -> list[bytes]:
    """Return the same points as the bodies of requests."""
    texts = [f'{{"t":{1.6e9 + n + 0.25!r},"d":{n % 1000 / 10!r}}}' for n in range(number)]
    return [f"[{','.join(texts[at : at + _BATCH])}]".encode() for at in range(0, number, _BATCH)]


def bare(url: str, ready: list[bytes]) -> float:
    """Return the seconds that POSTing them takes."""
    with requests.Session() as session:
        start = time.perf_counter()
        for body in ready:
            session.post(f"{url}/api/v1/crud/bench/device/s/data", data=body, auth=("", "key"))
        return time.perf_counter() - start


def synced(url: str, template: Path, folder: Path) -> float:
    """Return the seconds that a sync of a copy of *template* takes."""
    path = Path(shutil.copy(template, folder / "copy.db"))
    with Logger(path, apikey="key", syncraise=True) as log:
        log.serverurl = url
        start = time.perf_counter()
        log.sync()
        seconds = time.perf_counter() - start
        if len(log):
            raise RuntimeError(f"{len(log)} points still wait")
    for file in folder.glob("copy.db*"):
        file.unlink()
    return seconds


def timed(costs: list[float], measure: Callable[[], float]) -> float:
    """Return what *measure* does, and note what processor time it took, in seconds."""
    before = time.process_time()
    seconds = measure()
    costs.append(time.process_time() - before)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, rounds=7)
    parser.add_argument("--points", type=int, default=500_000)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    arguments = parser.parse_args()
    number, rounds = (50_000, 2) if arguments.short else (arguments.points, arguments.rounds)
    ready = bodies(number)
    cases = (
        ("a server that takes no time", [], 7.0),
        ("one that takes 20 ms a request", ["--think", "0.02"], 1.25),
        ("one that announces nothing (0.3)", ["--original"], 0),
    )
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        template = Path(name) / "template.db"
        filled(template, number)
        for what, flags, most in cases:
            with started(sys.executable, _SINK, *flags) as sink:
                costs: dict[str, list[float]] = {"sync": [], "bare": []}
                figures = in_turns(
                    {
                        "sync": partial(timed, costs["sync"], partial(synced, sink.url, template, Path(name))),
                        "bare": partial(timed, costs["bare"], partial(bare, sink.url, ready)),
                    },
                    rounds,
                )
            title, against = f"sync of {number:,} points, {what}", "POSTing the bytes"
            report(title, figures["sync"], figures["bare"], "ms", most=most, against=against, scale=1e3)
            report(f"{title}, processor time", costs["sync"], costs["bare"], "ms", against=against, scale=1e3)


if __name__ == "__main__":
    main()
