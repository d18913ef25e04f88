"""
GET of a stream's object, against bare aiohttp that looks the key and the stream up in SQLite as well.

    python benchmarks/server_small_get.py [--rounds 9] [--seconds 1] [--short]

Goal: 0.6 times its requests a second. The client is one thread over bare sockets, in another process than the servers.
"""

from __future__ import annotations

import tempfile
from itertools import repeat
from pathlib import Path

from _baselines import KEY, STREAM
from _database import filled
from _generator import Api, rate
from _programs import baseline, ours
from _rounds import in_turns, options, report


def main() -> None:
    """Measure, and print a line for each number of connections."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement (1)")
    arguments = parser.parse_args()
    rounds, seconds = (2, 0.2) if arguments.short else (arguments.rounds, arguments.seconds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with filled(folder / "ours") as filling:
            filling.devices([KEY])
        with ours(folder / "ours") as server, baseline("small", folder / "bare.db") as bare:
            for connections in (16, 1):

                def measure(url: str, connections: int = connections) -> float:
                    api = Api(url, "", KEY)
                    return rate(api, [repeat(api.request("GET", STREAM))] * connections, seconds)

                figures = in_turns(
                    {"ours": lambda: measure(server.url), "bare": lambda: measure(bare.url)},
                    rounds,
                )
                title = f"small GET, {connections} connection{'s' * (connections > 1)}"
                report(title, figures["ours"], figures["bare"], "requests/s", least=0.6, against="bare aiohttp")


if __name__ == "__main__":
    main()
