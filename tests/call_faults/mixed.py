"""
Many threads with one connection make calls of all kinds, of which some meet a fault; in the end the books balance.

    python -m tests.call_faults.mixed [--threads 32] [--calls 10000] [--share 0.05] [--seed N] [--short]

Each thread keeps a book of its stream: what is stored, as an insert returned; what is not, as it said so; and what nobody knows, as it
raised `OutcomeUnknown`. While it goes on each answer must fit the book, and in the end the stream: each point once, in order.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from connectordb import ConnectorDB, ConnectorDBError, OutcomeUnknown, Stream, Timeout
from connectordb.query import Merge

from ..support.server_process import ServerProcess
from ..support.wire import Peer, answer
from . import names
from .moody import Moody
from .table import ELSEWHERE, left

#: Calls of each thread in a short run.
_SHORT = 40

#: What is wrong is said so often.
_ENOUGH = 20


class Writer:
    """
    One thread's calls, and its book.

    Args:
        cdb: The connection, which all threads share.
        name: Its stream's.
        chance: What is random.
    """

    def __init__(self, cdb: ConnectorDB, name: str, chance: random.Random) -> None:
        self._cdb = cdb
        self._stream: Stream = cdb[name]
        self._chance = chance
        self._next = 0
        #: Values that are stored, that may be, and that are not.
        self.stored: list[int] = []
        self.open: set[int] = set()
        self.failed: set[int] = set()
        self.nickname = [""]
        self.raised: Counter[str] = Counter()
        self.wrong: list[str] = []

    def run(self, calls: int) -> None:
        """Make so many calls."""
        kinds: dict[Callable[[], None], int] = {
            self._insert: 30, self._insert_some: 10, self._read_last: 20, self._read_slice: 10, self._length: 10,
            self._set: 5, self._ping: 10, self._merge: 5,
        }  # fmt: skip
        for call in self._chance.choices(list(kinds), list(kinds.values()), k=calls):
            try:
                call()
            except ConnectorDBError as error:
                self.raised[type(error).__name__] += 1
            except Exception as error:
                self.wrong.append(f"{call.__name__} raised what is none of ours: {type(error).__name__}: {error}")

    def balance(self, values: list[int]) -> None:
        """Hold the stream to the book."""
        self._check(values == sorted(values), "the stream is out of order")
        self._check(len(values) == len(set(values)), f"{len(values) - len(set(values))} points are stored twice")
        there = set(values)
        self._check(there >= set(self.stored), f"of what was stored {len(set(self.stored) - there)} points are missing")
        self._check(
            not there & self.failed, f"{len(there & self.failed)} points are there that were said to have failed"
        )
        self._check(there <= {*self.stored, *self.open}, "there are points that nobody inserted")

    def _check(self, is_right: bool, what: str) -> None:
        if not is_right:
            self.wrong.append(f"{self._stream.path}: {what}")

    # --- calls ---------------------------------------------------------------------------------------------------------

    def _insert(self) -> None:
        self._written([self._next], lambda: self._stream.insert(self._next))

    def _insert_some(self) -> None:
        values = [self._next + n for n in range(self._chance.randrange(2, 6))]
        now = time.time()
        points = [{"t": now + 1e-6 * n, "d": value} for n, value in enumerate(values)]
        self._written(values, lambda: self._stream.insert_array(points, restamp=True))

    def _written(self, values: list[int], insert: Callable[[], None]) -> None:
        try:
            insert()
        except OutcomeUnknown:
            self.open |= set(values)
            raise
        except BaseException:
            self.failed |= set(values)
            raise
        else:
            self.stored += values
        finally:
            self._next = values[-1] + 1

    def _may_be_last(self, value: int) -> bool:
        last = self.stored[-1] if self.stored else -1
        return value == last or (value > last and value in self.open)

    def _read_last(self) -> None:
        try:
            value = self._stream[-1]["d"]
        except IndexError:
            self._check(not self.stored, "the last point was not there")
        else:
            self._check(self._may_be_last(value), f"the last point was {value}")

    def _read_slice(self) -> None:
        values = [point["d"] for point in self._stream[-5:]]
        self._check(not self.stored or bool(values), "the last five points were not there")
        self._check(all(value in self.open or value <= (self.stored or [-1])[-1] for value in values), f"read {values}")

    def _length(self) -> None:
        length = len(self._stream)
        self._check(len(self.stored) <= length <= len(self.stored) + len(self.open), f"its length was {length}")

    def _set(self) -> None:
        name = f"name {self._chance.random()}"
        self.nickname.append(name)  # it may be, until it surely is
        self._stream.set({"nickname": name})
        self.nickname = [name]

    def _ping(self) -> None:
        self._check(self._cdb.ping() == self._stream.device.path, "somebody else is calling")

    def _merge(self) -> None:
        merge = Merge(self._cdb)
        merge.addStream(self._stream, i1=-1, i2=0)
        self._check(all(self._may_be_last(point["d"]) for point in merge.run()), "merged, the last point was another")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.call_faults.mixed", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--calls", type=int, default=10_000, help="of each thread (10,000)")
    parser.add_argument("--share", type=float, default=0.05, help="of the requests meet a fault (0.05)")
    parser.add_argument("--seed", type=int, default=None, help="what is random; printed, so that it can be repeated")
    parser.add_argument("--short", action="store_true", help=f"{_SHORT} calls each, for CI")
    options = parser.parse_args()
    options.calls = _SHORT if options.short else options.calls
    options.seed = int.from_bytes(os.urandom(3), "big") if options.seed is None else options.seed
    return options


def _have(url: str, options: argparse.Namespace) -> tuple[list[Writer], Moody, list[str], str]:
    """Have the threads make their calls; return their books, the gate, what is wrong beside them, and the figures."""
    chance = random.Random(options.seed)
    with ExitStack() as ending:
        ending.enter_context(names.ours())
        elsewhere = Peer(otherwise=answer("ok"))
        ending.callback(elsewhere.close)
        names.register(ELSEWHERE)
        gate = Moody(0, url, f"http://{ELSEWHERE}:{elsewhere.port}")
        ending.callback(gate.close)
        direct = ending.enter_context(ConnectorDB("test", "test", url=url))
        timeout = Timeout(connect=5, read=2.0, total=5)
        cdb = ending.enter_context(ConnectorDB(direct.apikey, url=gate.url, timeout=timeout))
        writers = []
        for number in range(options.threads):
            direct[f"m{number}"].create()
            writers.append(Writer(cdb, f"m{number}", random.Random(chance.random())))
        gate.chance, gate.share, before = random.Random(chance.random()), options.share, gate.requests
        threads = [threading.Thread(target=writer.run, args=(options.calls,)) for writer in writers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        gate.share = 0.0
        sent = cdb.stats.requests
        figures = f"{gate.requests - before} requests over {gate.widest} connections at the most"
        # a request that there was no time left for was begun, and came nowhere
        late = sum(writer.raised["TimedOut"] + writer.raised["OutcomeUnknown"] for writer in writers)
        is_right = gate.requests <= sent <= gate.requests + late
        wrong = [] if is_right else [f"its statistics say {sent} requests, and {gate.requests} came"]
        wrong += [] if cdb.ping() == direct.path else ["the next call returned something else"]
        for writer, number in zip(writers, range(options.threads), strict=True):
            stream = direct[f"m{number}"]
            writer.balance([point["d"] for point in stream])
            if (stream.nickname or "") not in writer.nickname:
                writer.wrong.append(f"{stream.path} is called {stream.nickname!r}")
        if elsewhere.requests:
            wrong.append(f"{len(elsewhere.requests)} requests followed a redirect to another host")
    return writers, gate, wrong + left(), figures


def main() -> int:
    """Run, as the command line says; return the status."""
    options = _arguments()
    print(f"seed {options.seed}, {options.threads} threads of {options.calls} calls", flush=True)
    work = Path(tempfile.mkdtemp(prefix="connectordb-mixed-faults-"))
    with ServerProcess(work, cheap_passwords=True) as server:
        began = time.monotonic()
        writers, gate, wrong, figures = _have(server.url, options)
        seconds = time.monotonic() - began
    for writer in writers:
        wrong += writer.wrong
    for what in wrong[:_ENOUGH]:
        print(f"WRONG: {what}")
    raised = sum((writer.raised for writer in writers), Counter[str]())
    calls = options.threads * options.calls
    print(
        f"{calls} calls in {seconds:.0f} s, {figures}, of which {gate.met.total()} met a fault; "
        f"{sum(len(writer.stored) for writer in writers)} points stored, {sum(len(writer.open) for writer in writers)} of unknown "
        f"outcome, {sum(len(writer.failed) for writer in writers)} failed; raised: "
        + ", ".join(f"{name} {number}" for name, number in raised.most_common())
        + f"; {len(wrong)} amiss"
    )
    if wrong:
        print(f"the server's log is kept in {work}", file=sys.stderr)
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
