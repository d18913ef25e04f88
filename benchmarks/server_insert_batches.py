"""
POST of 5000 points a request, against the same work in process and against a server that stores a row a point.

    python benchmarks/server_insert_batches.py [--rounds 9] [--requests 40] [--folder DIR] [--short]

Goals: 0.6 times the points a second of decoding, checking and storing the same in process, by the same code and with one
flush a request as well; 2.5 times those of bare aiohttp with a row a point. A floor that is not ours is shown beside it: the
least that one can write which decodes, checks and stores text ready for the wire. The client is one thread over bare
sockets, in another process than the servers, with one request under way, and with one on each of four connections.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from operator import le
from pathlib import Path

import orjson
from _baselines import KEY, SCHEMA, STREAMS
from _database import filled
from _generator import Api, batch, rate
from _programs import baseline, ours
from _rounds import in_turns, options, report

from connectordb.runtime.sqlite import connect, transaction
from connectordb.server.handlers import Request, data
from connectordb.server.rights.accounts import Key, look_up
from connectordb.server.storage import SQLiteStorage, Writer

SIZE = 5000

#: Besides one.
CONNECTIONS = 4
_CHUNK = 250


def http(url: str, sources: Mapping[str, Iterator[bytes]], requests: int) -> float:
    """Post so many batches to a server, a connection for each stream in *sources*; return points a second."""
    api, each = Api(url, "", KEY), requests // len(sources)
    made = [
        [api.request("POST", f"{path}/data", next(source)) for _ in range(each)] for path, source in sources.items()
    ]
    return SIZE * rate(api, [iter(bodies) for bodies in made], seconds=math.inf)


def in_process(storage: SQLiteStorage) -> Callable[[bytes], None]:
    """Return what our server does with a body, without the server."""

    def insert(body: bytes) -> None:
        def work(writer: Writer) -> None:
            caller = look_up(writer, Key(KEY)).caller
            request = Request(time.time(), ("test", KEY, "s"), body=body, caller=caller)
            data.insert(writer, request)

        storage.write(work).result()

    return insert


def least(path: Path) -> Callable[[bytes], None]:
    """Return the least that decodes, checks and stores text ready for the wire, 250 points a row."""
    connection = connect(path)
    connection.execute("CREATE TABLE chunks (i INTEGER PRIMARY KEY, t REAL, data BLOB)")
    index = count()

    def insert(body: bytes) -> None:
        points = orjson.loads(body)
        times, values = [point["t"] for point in points], [point["d"] for point in points]
        if not SCHEMA.allows_kinds(set(map(type, values))) or not all(map(le, times, times[1:])):
            raise ValueError("points that will not do")
        with transaction(connection):
            for start in range(0, SIZE, _CHUNK):
                part = points[start : start + _CHUNK]
                connection.execute(
                    "INSERT INTO chunks VALUES (?, ?, ?)", (next(index), part[0]["t"], orjson.dumps(part))
                )

    return insert


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__)
    parser.add_argument("--requests", type=int, default=40, help="for each measurement (40)")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    arguments = parser.parse_args()
    rounds, requests = (2, 8) if arguments.short else (arguments.rounds, arguments.requests)

    def bodies() -> Iterator[bytes]:
        return (batch(start, SIZE) for start in count(0, SIZE))

    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        for database in ("ours", "direct"):
            with filled(folder / database) as filling:
                filling.devices([KEY])
        storage = SQLiteStorage(folder / "direct" / "connectordb.db")
        direct, floor = in_process(storage), least(folder / "least.db")
        alone_sources = {name: bodies() for name in ("in process", "least")}
        # per server and number of connections, a stream for each connection
        sources = {
            (name, number): {path: bodies() for path in STREAMS[number - 1 :][:number]}
            for name in ("ours", "rows")
            for number in (1, CONNECTIONS)
        }

        def alone(insert: Callable[[bytes], None], source: Iterator[bytes]) -> float:
            made = [next(source) for _ in range(requests)]
            start = time.perf_counter()
            for body in made:
                insert(body)
            return requests * SIZE / (time.perf_counter() - start)

        with ours(folder / "ours") as server, baseline("rows", folder / "rows.db") as bare:
            for path in STREAMS:
                Api(server.url, "", KEY).stream(f"test/{KEY}", path.rpartition("/")[2])
            figures = in_turns(
                {
                    "ours": lambda: http(server.url, sources["ours", 1], requests),
                    "rows": lambda: http(bare.url, sources["rows", 1], requests),
                    "ours, many": lambda: http(server.url, sources["ours", CONNECTIONS], requests),
                    "rows, many": lambda: http(bare.url, sources["rows", CONNECTIONS], requests),
                    "in process": lambda: alone(direct, alone_sources["in process"]),
                    "least": lambda: alone(floor, alone_sources["least"]),
                },
                rounds,
            )
        storage.close()
    title = f"POST of {SIZE} points"
    mine = figures["ours"]
    report(title, mine, figures["in process"], "points/s", least=0.6, against="the same in process")
    report(title, mine, figures["rows"], "points/s", least=2.5, against="bare aiohttp with a row a point")
    many = f"{title}, {CONNECTIONS} connections"
    against = "bare aiohttp with a row a point"
    report(many, figures["ours, many"], figures["rows, many"], "points/s", least=2.5, against=against)
    report(title, mine, figures["least"], "points/s", against="the least in process")


if __name__ == "__main__":
    main()
