"""
How long the slowest of 100 inserts takes while somebody reads 1,000,000 points, against the same without the reader.

    python benchmarks/server_insert_beside_read.py [--rounds 9] [--points 1000000] [--seconds 3] [--folder DIR] [--short]

Goal: the 99th percentile is 5 times as high at most. The inserts come from a bare socket, one after the other, each durable
when answered; the reader is requests in a process of its own, again and again. On a machine with few cores the three share
them, and that is part of the figure.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from _database import filled
from _generator import Api
from _programs import ours
from _rounds import in_turns, options, report

_READER = """
import sys, requests
session = requests.Session()
while True:
    body = session.get(sys.argv[1], auth=("", "read")).content
    assert body.endswith(b"]")
    print("read", flush=True)
"""


@contextlib.contextmanager
def reading(url: str) -> Iterator[None]:
    """Have the long stream read without a pause while the block runs."""
    target = f"{url}/api/v1/crud/test/read/s/data?i1=0&i2=0"
    reader = subprocess.Popen([sys.executable, "-c", _READER, target], stdout=subprocess.PIPE, text=True)
    try:
        assert reader.stdout is not None
        if reader.stdout.readline() != "read\n":
            raise RuntimeError("the reader does not read")
        yield
        if reader.poll() is not None:
            raise RuntimeError("the reader ended early")
    finally:
        reader.kill()
        reader.communicate()


def percentile(url: str, seconds: float) -> float:
    """Insert one point after the other; return the 99th percentile of their times."""
    api = Api(url, "", "write")
    connection, request = api.connect(), api.request("POST", "/crud/test/write/s/data", b'[{"t":1500000000,"d":21.5}]')
    taken = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        taken.append(connection.ask(request)[1])
    connection.close()
    return sorted(taken)[int(0.99 * len(taken))]


def main() -> None:
    """Measure, and print one line."""
    parser = options(__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each measurement (3)")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    arguments = parser.parse_args()
    rounds, points, seconds = arguments.rounds, arguments.points, arguments.seconds
    if arguments.short:
        rounds, points, seconds = 2, 50_000, 0.3
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name) / "ours"
        with filled(folder) as filling:
            filling.devices(["read", "write"])
            filling.points("read", points)
        with ours(folder) as server:

            def beside() -> float:
                with reading(server.url):
                    return percentile(server.url, seconds)

            figures = in_turns({"beside": beside, "alone": lambda: percentile(server.url, seconds)}, rounds)
    title = f"p99 of an insert while {points:,} points are read"
    report(title, figures["beside"], figures["alone"], "ms", most=5, against="without", scale=1e3)


if __name__ == "__main__":
    main()
