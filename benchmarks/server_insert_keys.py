"""
Inserts of one point with an ``Idempotency-Key`` against those without, durable both, on one server.

    python benchmarks/server_insert_keys.py [--rounds 9] [--seconds 1] [--folder DIR] [--short]

Goal: 0.8 times as many a second from 16 connections. The client is one thread over bare sockets, in another process than the
server; every insert has a new key, a UUID.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

from _baselines import KEY, STREAMS
from _database import filled
from _generator import Api, rate
from _programs import ours
from _rounds import in_turns, options, report

_BODY = b'[{"t":1500000000,"d":21.5}]'


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement (1)")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    arguments = parser.parse_args()
    rounds, seconds = (2, 0.2) if arguments.short else (arguments.rounds, arguments.seconds)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        with filled(folder / "ours") as filling:
            filling.devices([KEY])
        with ours(folder / "ours") as server:
            api = Api(server.url, "", KEY)
            for path in STREAMS:
                api.stream(f"test/{KEY}", path.rpartition("/")[2])
            compare(api, STREAMS, rounds, seconds)
            compare(api, STREAMS[:1], rounds, seconds, goal=0)


def compare(api: Api, paths: list[str], rounds: int, seconds: float, goal: float = 0.8) -> None:
    """Measure both in turns, and print a line."""
    plain = [repeat(api.request("POST", f"{path}/data", _BODY, extra=_key("Idempotency-Not"))) for path in paths]
    figures = in_turns(
        {
            "with": lambda: rate(api, [keyed(api, path) for path in paths], seconds),
            "without": lambda: rate(api, plain, seconds),
        },
        rounds,
    )
    title = f"one-point inserts with a key, connections: {len(paths)}"
    report(title, figures["with"], figures["without"], "inserts/s", least=goal, against="without")


def keyed(api: Api, path: str) -> Iterator[bytes]:
    """Yield inserts, each with a key of its own."""
    template = api.request("POST", f"{path}/data", _BODY, extra=_key("Idempotency-Key"))
    before, _, after = template.partition(_NOTHING.encode())
    while True:
        yield before + str(uuid.uuid4()).encode() + after


_NOTHING = str(uuid.UUID(int=0))


def _key(header: str) -> str:
    # without a key, too, the request has as many bytes
    return f"{header}: {_NOTHING}\r\n"


if __name__ == "__main__":
    main()
