"""
Summarise the streams of a device in several processes.

Streams are passed to the workers of a pool as they are: what is sent is the path and the connection's settings, and each worker
connects once by itself. The server and the key come from the environment, or from ``connectordb login``::

    CONNECTORDB_URL=http://localhost:3124 CONNECTORDB_APIKEY=... python summaries.py
"""

from __future__ import annotations

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from connectordb import ConnectorDB, Stream


def summary(stream: Stream) -> tuple[str, int, float]:
    """Return a stream's path, its number of points, and their mean; this runs in a worker."""
    points = stream[:]
    return stream.path, len(points), points.mean() if points else 0.0


def main() -> None:
    """Print one line for each stream."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--processes", type=int, default=2, help="how many workers (%(default)s)")
    parser.add_argument("--method", choices=multiprocessing.get_all_start_methods(), help="how they are started")
    arguments = parser.parse_args()
    start = multiprocessing.get_context(arguments.method)
    with ConnectorDB() as cdb, ProcessPoolExecutor(arguments.processes, mp_context=start) as pool:
        for path, number, mean in pool.map(summary, cdb.streams()):
            print(f"{path}: {number} points, {mean:g} on average")


if __name__ == "__main__":
    main()
