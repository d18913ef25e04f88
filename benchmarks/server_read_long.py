"""
Reading 1,000,000 points with requests, against bare aiohttp that sends the same bytes from a file; and the server's memory.

    python benchmarks/server_read_long.py [--rounds 9] [--points 1000000] [--short]

Goals: 0.8 times its points a second, and never more than 64 MiB above what the server has before. The client is requests, as
of a user's program, in a process of its own; how fast one over a bare socket gets the same is shown beside it.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import requests
from _baselines import KEY, STREAM
from _database import filled
from _generator import Api
from _programs import baseline, ours
from _rounds import figure, in_turns, options, report

_QUERY = "/data?i1=0&i2=0"


def by_requests(session: requests.Session, url: str, path: Path | None = None) -> float:
    """Return the seconds that an answer takes; with *path* it is kept there."""
    start = time.perf_counter()
    answer = session.get(f"{url}/api/v1{STREAM}{_QUERY}", auth=("", KEY))
    answer.raise_for_status()
    body = answer.content
    taken = time.perf_counter() - start
    if path is not None:
        path.write_bytes(body)
    elif not body.endswith(b"]"):
        raise RuntimeError("a truncated answer")
    return taken


def by_socket(url: str) -> float:
    """Return the seconds that an answer takes over a bare socket."""
    api = Api(url, "", KEY)
    connection = api.connect()
    taken = connection.ask(api.request("GET", STREAM + _QUERY))[1]
    connection.close()
    return taken


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    arguments = parser.parse_args()
    rounds, number = (2, 50_000) if arguments.short else (arguments.rounds, arguments.points)
    with tempfile.TemporaryDirectory() as name:
        folder, body = Path(name), Path(name) / "body.json"
        with filled(folder / "ours") as filling:
            filling.devices([KEY])
            filling.points(KEY, number)
        with ours(folder / "ours") as server, requests.Session() as session:
            before = server.memory()
            server.forget_peak()
            by_requests(session, server.url, body)
            with baseline("file", body) as bare:
                figures = in_turns(
                    {
                        "ours": lambda: number / by_requests(session, server.url),
                        "file": lambda: number / by_requests(session, bare.url),
                        "ours, socket": lambda: number / by_socket(server.url),
                        "file, socket": lambda: number / by_socket(bare.url),
                    },
                    rounds,
                )
            grown = server.peak() - before
        megabytes = body.stat().st_size / 2**20
    title = f"reading {number:,} points ({megabytes:.1f} MiB)"
    report(f"{title} with requests", figures["ours"], figures["file"], "points/s", least=0.8, against="a file")
    report(
        f"{title} over a bare socket", figures["ours, socket"], figures["file, socket"], "points/s", against="a file"
    )
    figure("the server's memory meanwhile, above that before", grown, "MiB", most=64)


if __name__ == "__main__":
    main()
