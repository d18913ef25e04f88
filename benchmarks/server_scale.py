"""
What must not depend on how much is stored: reading the newest point, 100 in the middle, and starting.

    python benchmarks/server_scale.py [--rounds 9] [--points 10000000] [--devices 10000] [--seconds 0.5] [--short]

Goals: each read is within twice as long in a stream of 10,000,000 points as in one of 1000, on the same server; a server with
10,000 devices and that stream answers within 2 s of being started, as it goes through none of it. The client is one thread
over a bare socket.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from itertools import repeat
from pathlib import Path

from _database import filled
from _generator import Api, rate
from _programs import ours
from _rounds import figure, in_turns, options, report

SMALL = 1000
_START = 1_500_000_000


def requests(number: int) -> dict[str, str]:
    """Return the reads of a stream with so many points, a point a second."""
    middle = number // 2
    return {
        "the newest point": "i1=-1",
        "100 in the middle by index": f"i1={middle}&i2={middle + 100}",
        "100 in the middle by time": f"t1={_START + middle}&t2={_START + middle + 100}",
    }


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__)
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each measurement (0.5)")
    arguments = parser.parse_args()
    rounds, points, devices, seconds = arguments.rounds, arguments.points, arguments.devices, arguments.seconds
    if arguments.short:
        rounds, points, devices, seconds = 2, 100_000, 200, 0.1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "ours"
        with filled(folder) as filling:
            filling.devices(["large", "small", *(f"device{number}" for number in range(devices - 2))])
            filling.points("small", SMALL)
            filling.points("large", points)
        starts = []
        for _ in range(rounds):
            begin = time.perf_counter()
            with ours(folder) as server:
                Api(server.url, "", "large").call("GET", "/crud/test/large/s")
                starts.append(time.perf_counter() - begin)
        figure(f"start with {devices:,} devices and {points:,} points", statistics.median(starts), "s", most=2)
        with ours(folder) as server:
            for title in requests(points):

                def measure(device: str, number: int, title: str = title) -> float:
                    api = Api(server.url, "", device)
                    path = f"/crud/test/{device}/s/data?{requests(number)[title]}"
                    return 1 / rate(api, [repeat(api.request("GET", path))], seconds)

                figures = in_turns(
                    {"large": lambda: measure("large", points), "small": lambda: measure("small", SMALL)},
                    rounds,
                )
                report(
                    f"{title}, {points:,} points",
                    figures["large"],
                    figures["small"],
                    "us",
                    most=2,
                    against=f"of {SMALL}",
                    scale=1e6,
                )


if __name__ == "__main__":
    main()
