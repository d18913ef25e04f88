"""
How many messages and points a second one subscription takes, against who does the least that can be done.

    python benchmarks/live_throughput.py [--rounds 7] [--messages 20000] [--points 100000] [--folder DIR] [--short]

A server makes inserts durable, one after the other, and is slower than any client. So what it tells is held back
(``_dam.py``), each client's for itself, and comes at once; the time is that from then until the last point was handed to the
callback.

- Messages of one point: at least 0.7 times as many a second as a bare loop of websocket-client with ``json.loads``.
- A server that announces nothing (ours, with what it announces hidden), whose messages are no more than a signal that there
  is something to read: with inserts of 100 points, at least 0.5 times as many points a second as reading the same points over
  REST, from the same client.
- Catching up after a cut, from when the server answers the new connection: at least 0.7 times, likewise.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

from _bare import PATIENCE, Bare
from _dam import Control
from _database import filled
from _generator import Api, rate
from _programs import ours
from _rounds import in_turns, options, report

from connectordb import ConnectorDB

_DEVICE = "d"
_PATH = f"test/{_DEVICE}/s"

#: Connections over which points are inserted, to share flushes.
_PUBLISHERS = 10

#: Points of one insert where messages are signals, and while there is no connection.
_SIGNALLED, _CUT_OFF = 100, 500


#: Seconds after which a client without indices has looked whether more has come than it was told of; how often a round may begin.
_SETTLED, _TRIES = 0.5, 20


class Counter:
    """A callback that counts points."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    @property
    def has_some(self) -> bool:
        """Whether any have come."""
        return self._count > 0

    def __call__(self, _: str, points: Sequence[Any]) -> None:
        with self._changed:
            self._count += len(points)
            self._changed.notify()

    def wait(self, count: int) -> float:
        """Wait until so many have come, forget them, and return the time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._count >= count, PATIENCE):
                raise TimeoutError(f"only {self._count} points of {count} came")
            if self._count > count:
                raise RuntimeError(f"{self._count} points came where {count} were inserted")
            self._count = 0
        return time.perf_counter()


def insert(url: str, inserts: int, points: int) -> None:
    """Make so many inserts of so many points each."""
    api = Api(url, "", _DEVICE)
    body = b"[" + b",".join([b'{"t":1500000000.25,"d":21.5}'] * points) + b"]"
    request = api.request("POST", f"/crud/{_PATH}/data", body)
    rate(api, [repeat(request, inserts // _PUBLISHERS) for _ in range(_PUBLISHERS)], PATIENCE)


def messages(url: str, number: int, rounds: int) -> None:
    """Compare messages of one point, and print a line."""
    with Control(url) as our_dam, Control(url) as bare_dam, ConnectorDB(_DEVICE, url=our_dam.url) as cdb:
        counter = Counter()
        clients: list[Bare] = []  # one for each round: it answers no pings while it is not its turn

        def before() -> None:
            clients.append(Bare(bare_dam.url, _DEVICE))
            clients[-1].subscribe([_PATH])
            bare_dam.order("hold")
            held_back(url, our_dam, counter, number, 1)

        def ours() -> float:
            start = time.perf_counter()
            our_dam.order("release 0")
            return number / (counter.wait(number) - start)

        def bare() -> float:
            start = time.perf_counter()
            bare_dam.order("release 0")
            count = 0
            while count < number:
                count += clients[-1].points()
            seconds = time.perf_counter() - start
            clients[-1].close()
            return number / seconds

        with cdb(_PATH).subscribe(counter):
            figures = in_turns({"ours": ours, "bare": bare}, rounds, before)
    report("messages of one point", figures["ours"], figures["bare"], "messages/s", least=0.7, against="the bare loop")


def held_back(url: str, dam: Control, counter: Counter, number: int, together: int) -> None:
    """Insert so many points, of which nothing comes before the dam is opened."""
    for _ in range(_TRIES):
        dam.order("hold")
        insert(url, number // together, together)
        if not counter.has_some:
            return
        # the client has looked by itself meanwhile, as it does from time to time: again
        dam.order("release 0")
        counter.wait(number)
        time.sleep(_SETTLED)
    raise RuntimeError("points came while they were held back")


def signals(url: str, number: int, together: int, least: float, rounds: int) -> None:
    """Compare points that a server told of by messages that are no more than a signal, and print a line."""
    with Control(url, "--hide-features") as dam, ConnectorDB(_DEVICE, url=dam.url) as cdb:
        counter, stream = Counter(), cdb(_PATH)

        def before() -> None:
            time.sleep(_SETTLED)
            held_back(url, dam, counter, number, together)

        def told() -> float:
            start = time.perf_counter()
            dam.order("release 0")
            return number / (counter.wait(number) - start)

        with stream.subscribe(counter):
            figures = in_turns({"told": told, "read": partial(newest, stream, number)}, rounds, before)
    title = f"a server without indices, {together} point{'s' if together > 1 else ''} an insert"
    report(title, figures["told"], figures["read"], "points/s", least=least, against="reading them")


def catching_up(url: str, number: int, rounds: int) -> None:
    """Compare points that were inserted while there was no connection, and print a line."""
    with Control(url) as dam, ConnectorDB(_DEVICE, url=dam.url) as cdb:
        counter, stream = Counter(), cdb(_PATH)

        def before() -> None:
            dam.order("cut")
            insert(url, number // _CUT_OFF, _CUT_OFF)
            dam.order("waiting")

        def caught_up() -> float:
            start = time.perf_counter()
            dam.order("mend")
            return number / (counter.wait(number) - start)

        with stream.subscribe(counter):
            figures = in_turns({"caught up": caught_up, "read": partial(newest, stream, number)}, rounds, before)
    title = f"catching up {number:,} points after a cut"
    report(title, figures["caught up"], figures["read"], "points/s", least=0.7, against="reading them")


def newest(stream: Any, number: int) -> float:
    """Return how many points a second are read over REST, of the newest so many."""
    length = len(stream)
    start = time.perf_counter()
    points = stream(i1=length - number, i2=length)
    seconds = time.perf_counter() - start
    if len(points) != number:
        raise RuntimeError(f"{len(points)} points were read, not {number}")
    return number / seconds


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__, rounds=7)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    arguments = parser.parse_args()
    rounds, number, points = (arguments.rounds, arguments.messages, arguments.points)
    if arguments.short:
        rounds, number, points = 2, 1000, 10_000
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name) / "ours"
        with filled(folder) as filling:
            filling.devices([_DEVICE])
        with ours(folder) as server:
            messages(server.url, number, rounds)
            signals(server.url, points, _SIGNALLED, 0.5, rounds)
            signals(server.url, number, 1, 0, rounds)
            catching_up(server.url, points, rounds)


if __name__ == "__main__":
    main()
