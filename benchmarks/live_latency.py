"""
From an insert to the callback that is told of it, against a bare loop of websocket-client that is told of the same.

    python benchmarks/live_latency.py [--rounds 9] [--inserts 1000] [--every 0.003] [--folder DIR] [--short]

Goals: 1.5 times the bare loop's median at most, and 3 times its 99th percentile. Both subscribe to the same stream of the same
server, in turns. Another process inserts points one by one, with a pause between them, and each carries the time at which
its request was sent (``_publisher.py``); so in every figure is what the server takes, with the flush of a durable insert. To
tell that apart there is a second pair of lines with a stream that is ephemeral, whose points are told without being stored.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from _bare import PATIENCE, Bare
from _database import filled
from _programs import ours
from _rounds import in_turns, options, report

from connectordb import ConnectorDB

_DEVICE = "d"
_PUBLISHER = str(Path(__file__).with_name("_publisher.py"))


def subscribed(url: str, path: str, number: int, publish: Callable[[], None]) -> list[float]:
    """Return the age of each of *number* points when our callback was called with it."""
    ages: list[float] = []
    done = threading.Event()

    def told(_: str, points: Sequence[dict[str, float]]) -> None:
        now = time.perf_counter()
        ages.extend(now - point["d"] for point in points)
        if len(ages) >= number:
            done.set()

    with ConnectorDB(_DEVICE, url=url) as cdb, cdb(path).subscribe(told):
        publish()
        if not done.wait(PATIENCE):
            raise TimeoutError(f"only {len(ages)} points of {number} came")
    return ages


def bare(url: str, path: str, number: int, publish: Callable[[], None]) -> list[float]:
    """Return the same of a bare loop."""
    client = Bare(url, _DEVICE)
    client.subscribe([path])
    ages: list[float] = []
    publisher = threading.Thread(target=publish)  # it waits for another process
    publisher.start()
    while len(ages) < number:
        points = client.message()["data"]
        now = time.perf_counter()
        ages.extend(now - point["d"] for point in points)
    publisher.join()
    client.close()
    return ages


def measure(url: str, path: str, number: int, every: float, rounds: int, what: str, held: bool) -> None:
    """Measure both in turns, and print two lines; *held* says whether they are held to the goals."""
    publish = partial(
        subprocess.run,
        [sys.executable, _PUBLISHER, url, _DEVICE, path, "--inserts", str(number), "--every", str(every)],
        check=True,
    )
    late: dict[str, list[float]] = {"ours": [], "bare": []}

    def median(name: str, client: Callable[..., list[float]]) -> float:
        ages = sorted(client(url, path, number, publish))
        late[name].append(ages[len(ages) * 99 // 100])
        return ages[len(ages) // 2]

    figures = in_turns({"ours": partial(median, "ours", subscribed), "bare": partial(median, "bare", bare)}, rounds)
    goals = (1.5, 3.0) if held else (0.0, 0.0)
    for title, values, most in (("the median", figures, goals[0]), ("the 99th percentile", late, goals[1])):
        report(f"{what}, {title}", values["ours"], values["bare"], "µs", most=most, against="the bare loop", scale=1e6)


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__)
    parser.add_argument("--inserts", type=int, default=1000, help="for each measurement (1000)")
    parser.add_argument("--every", type=float, default=0.003, help="seconds from one to the next (0.003)")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    arguments = parser.parse_args()
    rounds, number = (2, 150) if arguments.short else (arguments.rounds, arguments.inserts)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name) / "ours"
        with filled(folder) as filling:
            filling.devices([_DEVICE])
        with ours(folder) as server:
            with ConnectorDB(_DEVICE, url=server.url) as cdb:
                cdb["told"].create({"type": "number"}, ephemeral=True)
            stored, told = (f"test/{_DEVICE}/{stream}" for stream in ("s", "told"))
            measure(server.url, stored, number, arguments.every, rounds, "from insert to callback", True)
            measure(server.url, told, number, arguments.every, rounds, "the same, of an ephemeral stream", False)


if __name__ == "__main__":
    main()
