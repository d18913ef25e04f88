"""
A program that inserts, apart from those that are told, so that neither takes the other's turn at the interpreter.

    python benchmarks/_publisher.py URL KEY PATH… [--inserts 1000] [--points 1] [--every 0.002]

It inserts into the streams in turns, over one connection, and ends. A point's value is what `time.perf_counter` said before
its request was sent; where programs have that clock in common (Linux, macOS, Windows), who is told of it knows how old it is.
"""

from __future__ import annotations

import argparse
import time
from itertools import cycle, islice

from _generator import Api


def publish(api: Api, paths: list[str], inserts: int, points: int, every: float) -> None:
    """Insert *points* points at once, *inserts* times; begin one *every* so many seconds, or later where one takes longer."""
    connection = api.connect()
    # the time is long ago and always the same, which is allowed: only the clock that is measured with counts
    body = b"[" + b",".join([b'{"t":1500000000,"d":%17.6f}'] * points) + b"]"
    length = len(body % ((1.0,) * points))
    templates = [api.request("POST", f"/crud/{path}/data", body, length) for path in paths]
    due = time.perf_counter()
    for template in islice(cycle(templates), inserts):
        due += every
        time.sleep(max(0.0, due - time.perf_counter()))
        now = time.perf_counter()
        connection.ask(template % ((now,) * points))
    connection.close()


def main() -> None:
    """Insert, and end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("paths", nargs="+", metavar="path")
    parser.add_argument("--inserts", type=int, default=1000)
    parser.add_argument("--points", type=int, default=1)
    parser.add_argument("--every", type=float, default=0.002)
    arguments = parser.parse_args()
    publish(
        Api(arguments.url, "", arguments.key), arguments.paths, arguments.inserts, arguments.points, arguments.every
    )


if __name__ == "__main__":
    main()
