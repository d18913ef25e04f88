"""
The memory of a server that has nothing to do, with 100 open streams: each with points, and subscribed to by a websocket.

    python benchmarks/server_idle.py [--streams 100] [--points 300] [--short]

Goal: 64 MiB of resident memory at most, as the process is seen by the system. The interpreter with aiohttp imported and
nothing else is shown beside it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _database import filled
from _generator import Api
from _programs import ours
from _rounds import figure, options

_BARE = "import aiohttp.web, apsw, orjson, psutil; print(psutil.Process().memory_info().rss / 2**20)"


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--points", type=int, default=300, help="inserted into each stream, one by one (300)")
    arguments = parser.parse_args()
    points = 10 if arguments.short else arguments.points
    devices = [f"d{number}" for number in range(arguments.streams)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "ours"
        with filled(folder) as filling:
            filling.devices(devices)
        with ours(folder) as server:
            figure("just started", server.memory(), "MiB")
            sockets = []
            for device in devices:
                api = Api(server.url, "", device)
                path = f"/crud/test/{device}/s"
                sockets.append(api.subscribe(path))
                connection, insert = api.connect(), api.inserts(path)
                for _ in range(points):
                    connection.ask(next(insert))
                connection.close()
            time.sleep(1)  # it is to be idle
            figure(f"idle with {len(devices)} open streams", server.memory(), "MiB", most=64)
            for opened in sockets:
                opened.close()
    bare = subprocess.run([sys.executable, "-c", _BARE], capture_output=True, text=True, check=True).stdout
    figure("an interpreter with aiohttp, apsw and orjson alone", float(bare), "MiB")


if __name__ == "__main__":
    main()
