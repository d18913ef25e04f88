"""
A thousand subscriptions: made, made again after a cut, fed, and left alone; and what they keep in memory.

    python benchmarks/live_many.py [--rounds 5] [--streams 1000] [--seconds 5] [--quiet 70] [--folder DIR] [--short]

- Made: all of them at once (``wait=False``, then each is waited for), and one after the other as a loop of ``subscribe`` does,
  in 2 s at most; beside that the same commands, with ids, by a bare loop of websocket-client, all before the first answer is
  read.
- Made again: from when the server answers the new connection after a cut (``_dam.py``) until every one is live; at most 2 s.
- Fed: 100 streams with 100 points a second each, a message for each point, as fast as that in real time: at most 20 % of
  a core, by the processor time of this process; beside that the bare loop's.
- Left alone: how often the process is given a processor, what it takes of it, and the bytes that pass; with pings every
  30 s, a few times and a few bytes.
- Memory: of a thousand that are idle; and of one whose callback stands still while points come that it does not take.
"""

from __future__ import annotations

import gc
import resource
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from _bare import PATIENCE, Bare
from _dam import Control
from _database import filled
from _generator import Api, rate
from _programs import ours
from _rounds import figure, in_turns, options, report

from connectordb import ConnectorDB

_DEVICE = "d"

#: Streams that are fed, and points a second in each.
_FED, _RATE = 100, 100

#: Seconds until threads that looked and called, and have nothing to do any more, have ended.
_SETTLED = 5.5


def paths(number: int) -> list[str]:
    """Return the streams' paths."""
    return [f"test/{_DEVICE}/s{k}" for k in range(number)]


def nothing(_: str, __: Sequence[Any]) -> None:
    """Take points, and do nothing."""


def at_once(cdb: ConnectorDB, streams: Sequence[str], stack: ExitStack, callback: Any = nothing) -> list[Any]:
    """Subscribe to all of them, and return when all are live."""
    subscriptions = [stack.enter_context(cdb(path).subscribe(callback, wait=False)) for path in streams]
    wait_for(subscriptions)
    return subscriptions


def wait_for(subscriptions: Sequence[Any]) -> None:
    """Return when all are live."""
    for subscription in subscriptions:
        if not subscription.wait("live", PATIENCE):
            raise TimeoutError(f"{subscription!r} did not come to be live")


# --- made -------------------------------------------------------------------------------------------------------------


def made(url: str, streams: Sequence[str], rounds: int) -> None:
    """Measure making them, and print the lines."""

    def all_at_once() -> float:
        with ConnectorDB(_DEVICE, url=url) as cdb, ExitStack() as stack:
            start = time.perf_counter()
            at_once(cdb, streams, stack)
            return time.perf_counter() - start

    def one_by_one() -> float:
        with ConnectorDB(_DEVICE, url=url) as cdb, ExitStack() as stack:
            start = time.perf_counter()
            for path in streams:
                stack.enter_context(cdb(path).subscribe(nothing))
            return time.perf_counter() - start

    def bare() -> float:
        start = time.perf_counter()
        client = Bare(url, _DEVICE)
        client.subscribe(streams)
        seconds = time.perf_counter() - start
        client.close()
        return seconds

    figures = in_turns({"all at once": all_at_once, "one by one": one_by_one, "bare": bare}, rounds)
    for how in ("all at once", "one by one"):
        title = f"{len(streams):,} subscriptions, {how}"
        report(title, figures[how], figures["bare"], "ms", against="the bare commands", scale=1e3)
        figure(f"the slowest of {title}", max(figures[how]), "s", most=2)


def made_again(url: str, streams: Sequence[str], rounds: int) -> None:
    """Measure how long it takes until they are live again after a cut, and print a line."""
    seconds = []
    with Control(url) as dam, ConnectorDB(_DEVICE, url=dam.url) as cdb, ExitStack() as stack:
        subscriptions = at_once(cdb, streams, stack)
        for _ in range(rounds):
            dam.order("cut")
            dam.order("waiting")
            start = time.perf_counter()
            dam.order("mend")
            wait_for(subscriptions)
            seconds.append(time.perf_counter() - start)
    figure(f"{len(streams):,} subscriptions made again after a cut, the slowest of {rounds}", max(seconds), "s", most=2)


# --- fed --------------------------------------------------------------------------------------------------------------


def fed(url: str, streams: Sequence[str], seconds: float, rounds: int) -> None:
    """Measure the processor time that points take which come in real time, and print the lines."""
    number = int(len(streams) * _RATE * seconds)
    count, done = [0], threading.Event()

    def told(_: str, points: Sequence[Any]) -> None:
        with lock:
            count[0] += len(points)
            if count[0] >= number:
                done.set()

    lock = threading.Lock()
    with Control(url) as our_dam, Control(url) as bare_dam, ConnectorDB(_DEVICE, url=our_dam.url) as cdb:
        clients: list[Bare] = []  # one for each round: it answers no pings while it is not its turn

        def before() -> None:
            clients.append(Bare(bare_dam.url, _DEVICE))
            clients[-1].subscribe(streams)
            our_dam.order("hold")
            bare_dam.order("hold")
            insert(url, streams, number // len(streams))

        def share(order: Callable[[str], None], take: Callable[[], None]) -> float:
            start, processor = time.perf_counter(), time.process_time()
            order(f"release {seconds}")
            take()
            taken = time.perf_counter() - start
            if taken > seconds * 1.5:
                raise RuntimeError(f"what should have come in {seconds:g} s took {taken:.1f} s")
            return (time.process_time() - processor) / seconds

        def ours() -> None:
            if not done.wait(PATIENCE):
                raise TimeoutError(f"only {count[0]} points of {number} came")
            count[0] = 0
            done.clear()

        def bare() -> None:
            left = number
            while left:
                left -= clients[-1].points()
            clients[-1].close()

        with ExitStack() as stack:
            at_once(cdb, streams, stack, told)
            cases = {"ours": partial(share, our_dam.order, ours), "bare": partial(share, bare_dam.order, bare)}
            figures = in_turns(cases, rounds, before)
    title = f"{len(streams)} streams with {_RATE} points a second each"
    report(title, figures["ours"], figures["bare"], "% of a core", against="the bare loop", scale=100)
    figure(f"the most that {title} took", max(figures["ours"]) * 100, "% of a core", most=20)


def insert(url: str, streams: Sequence[str], number: int) -> None:
    """Make so many inserts of one point into each, in turns."""
    api, body = Api(url, "", _DEVICE), b'[{"t":1500000000.25,"d":21.5}]'
    requests = [api.request("POST", f"/crud/{path}/data", body) for path in streams]
    rate(api, [chain.from_iterable(repeat(requests[k::10], number)) for k in range(10)], PATIENCE)


# --- left alone -------------------------------------------------------------------------------------------------------


def left_alone(url: str, streams: Sequence[str], seconds: float) -> None:
    """Count what an idle client does, and print the lines."""
    with Control(url) as dam, ConnectorDB(_DEVICE, url=dam.url) as cdb, ExitStack() as stack, Memory() as memory:
        at_once(cdb, streams, stack)
        time.sleep(_SETTLED)
        taken, threads = memory.now(), threading.active_count()
        passed, processor, switches = dam.passed(), time.process_time(), wake_ups()
        time.sleep(seconds)
        switches = wake_ups() - switches - 1  # one is the sleeper's own
        processor, passed = time.process_time() - processor, dam.passed() - passed
    title = f"{len(streams):,} subscriptions left alone for {seconds:g} s"
    print(f"{title}: {switches} wake-ups, {processor * 1e3:.1f} ms of a processor, {passed} bytes, {threads} threads")
    figure("wake-ups of them in a minute", switches / seconds * 60, "", most=10)
    figure("the memory that they take", taken / 1024 / len(streams), "KiB each")


def wake_ups() -> int:
    """Return how often a thread of this process has waited so far: each time it was woken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw


class Memory:
    """The memory that Python takes from when a block begins; all of it is slower meanwhile."""

    def __enter__(self) -> Memory:
        gc.collect()
        tracemalloc.start()
        return self

    def __exit__(self, *exception: object) -> None:
        tracemalloc.stop()

    def now(self) -> int:
        """Return the bytes that are in use."""
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    def most(self) -> int:
        """Return the bytes that were in use at the worst moment."""
        return tracemalloc.get_traced_memory()[1]


def kept(url: str, path: str, number: int) -> None:
    """Have points come that a callback does not take, and print what is kept of them."""
    end = threading.Event()

    with ConnectorDB(_DEVICE, url=url) as cdb, Memory() as memory:
        with cdb(path).subscribe(lambda *_: end.wait(PATIENCE)) as subscription:
            insert_many(url, path, number)
            deadline = time.monotonic() + PATIENCE
            while subscription.lag < number * 0.9 and time.monotonic() < deadline:
                time.sleep(0.05)
            most, left = memory.most(), memory.now()
            end.set()
    title = f"a callback that stands still while {number:,} points come"
    figure(f"{title}: memory at most", most / 2**20, "MiB", most=64)
    figure(f"{title}: memory when they have come", left / 2**20, "MiB")


def insert_many(url: str, path: str, number: int) -> None:
    """Insert so many points."""
    api = Api(url, "", _DEVICE)
    body = b"[" + b",".join([b'{"t":1500000000.25,"d":21.5}'] * 500) + b"]"
    rate(api, [repeat(api.request("POST", f"/crud/{path}/data", body), number // 500)], PATIENCE)


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5.0, help="for which they are fed (5)")
    parser.add_argument("--quiet", type=float, default=70.0, help="seconds for which they are left alone (70)")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    arguments = parser.parse_args()
    rounds, seconds, quiet = arguments.rounds, arguments.seconds, arguments.quiet
    if arguments.short:
        rounds, seconds, quiet = 1, 0.5, 1.0
    streams = paths(arguments.streams)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name) / "ours"
        with filled(folder) as filling:
            filling.devices([_DEVICE])
            filling.streams(_DEVICE, [path.rpartition("/")[2] for path in streams])
        with ours(folder) as server:
            left_alone(server.url, streams, quiet)
            made(server.url, streams, rounds)
            made_again(server.url, streams, rounds)
            fed(server.url, streams[:_FED], seconds, rounds)
            kept(server.url, streams[0], 50_000 if arguments.short else 500_000)


if __name__ == "__main__":
    main()
