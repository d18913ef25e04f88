"""
One stream to 100 websockets, against bare aiohttp that does nothing else.

    python benchmarks/server_fan_out.py [--rounds 9] [--subscribers 100] [--inserts 300] [--folder DIR] [--short]

Goal: 0.8 times its messages a second. The client is one thread over bare sockets, in another process than the servers, that
inserts as fast as each insert is answered, over one connection and over 16, and counts what arrives; the delay is that of one
insert at a time. The baseline stores nothing and asks nobody who they are; ours stores each point durably before it tells
anybody, so that over one connection nothing is told while the disk is flushed: both lines are held to the goal.
"""

from __future__ import annotations

import tempfile
from functools import partial
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
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        with filled(folder / "ours") as filling:
            filling.devices([KEY])
        with ours(folder / "ours") as server, baseline("fan_out", folder) as bare:
            urls = {"ours": server.url, "bare": bare.url}
            for publishers in (1, 16):
                compare(urls, publishers, arguments.subscribers, inserts, rounds)


def compare(urls: dict[str, str], publishers: int, subscribers: int, inserts: int, rounds: int) -> None:
    """Measure both in turns, and print two lines."""
    delays: dict[str, list[float]] = {name: [] for name in urls}

    def measure(name: str) -> float:
        api = Api(urls[name], "", KEY)
        insert = repeat(api.request("POST", f"{STREAM}/data", b'[{"t":1500000000,"d":21.5}]'))
        messages, delay = fan_out(
            api, insert, lambda: api.subscribe(STREAM), subscribers, inserts // 5, inserts, publishers
        )
        delays[name].append(delay)
        return messages

    figures = in_turns({name: partial(measure, name) for name in urls}, rounds)
    title = f"fan-out to {subscribers} websockets, {publishers} publisher{'s' if publishers > 1 else ''}"
    report(title, figures["ours"], figures["bare"], "messages/s", least=0.8, against="bare aiohttp")
    report(f"{title}, delay", delays["ours"], delays["bare"], "ms", against="bare aiohttp", scale=1e3)


if __name__ == "__main__":
    main()
