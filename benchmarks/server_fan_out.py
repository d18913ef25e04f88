"""
One stream to 100 websockets, against bare aiohttp that does nothing else.

    python benchmarks/server_fan_out.py [--rounds 9] [--subscribers 100] [--inserts 300] [--folder DIR] [--short]

Goal: 0.8 times its messages a second. The client is one thread over bare sockets, in another process than the servers, that
inserts over 16 connections as fast as each is answered, and counts what arrives; the delay is that of one insert at a time. The baseline stores nothing and asks nobody who they are; ours
stores each point durably before it tells anybody.
"""

from __future__ import annotations

import tempfile
from itertools import repeat
from pathlib import Path

from _baselines import KEY, STREAM
from _database import filled
from _generator import Api, fan_out
from _programs import baseline, ours
from _rounds import in_turns, options, report


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__)
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--inserts", type=int, default=300, help="for each measurement (300)")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    arguments = parser.parse_args()
    rounds, inserts = (2, 50) if arguments.short else (arguments.rounds, arguments.inserts)
    delays: dict[str, list[float]] = {"ours": [], "bare": []}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        with filled(folder / "ours") as filling:
            filling.devices([KEY])
        with ours(folder / "ours") as server, baseline("fan_out", folder) as bare:

            def measure(name: str, url: str) -> float:
                api = Api(url, "", KEY)
                insert = repeat(api.request("POST", f"{STREAM}/data", b'[{"t":1500000000,"d":21.5}]'))
                messages, delay = fan_out(
                    api, insert, lambda: api.subscribe(STREAM), arguments.subscribers, inserts // 5, inserts, 16
                )
                delays[name].append(delay)
                return messages

            figures = in_turns(
                {"ours": lambda: measure("ours", server.url), "bare": lambda: measure("bare", bare.url)}, rounds
            )
    title = f"fan-out to {arguments.subscribers} websockets"
    report(title, figures["ours"], figures["bare"], "messages/s", least=0.8, against="bare aiohttp")
    report(f"{title}, delay", delays["ours"], delays["bare"], "ms", against="bare aiohttp", scale=1e3)


if __name__ == "__main__":
    main()
