"""
What `Logger.insert` costs above a bare SQLite insert of the same row that is as durable, alone, from many threads, and many at once.

    python benchmarks/logger_insert.py [--rounds 15] [--inserts 400] [--folder DIR] [--only PART] [--short]

Goals: 0.85 times as many durable inserts a second as bare ones, each with one flush; 0.7 where flushes cost nothing, which leaves our
own work; with ``durability="batched"`` 0.8 times as many as bare ones without flushes; 1.4 and 3 times as many from 4 and 16 threads as
from one; ``insert_many`` of 10,000 points 0.6 times as fast as ``executemany`` of their rows. Two queues that keep what they hold
in SQLite are compared where they are installed (``pip install persist-queue litequeue``): 1.2 times as many as persist-queue's, which
flushes each, and twice as many as litequeue's, which flushes none. In an environment of their own, beside ours:

    python -m venv queues && queues/bin/pip install persist-queue litequeue .
    queues/bin/python benchmarks/logger_insert.py --only inserts

Where the disk is busy, its waits are nearly all of a durable insert; so the processor time of each is said as well.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import apsw
from _rounds import figure, in_turns, options, report

from connectordb.logger import Logger
from connectordb.logger.rows.cache_file import Durability
from connectordb.protocol import json_text, schemas

_TABLE = "CREATE TABLE point (id INTEGER PRIMARY KEY, t REAL NOT NULL, d TEXT NOT NULL, era INTEGER)"
_MANY = 10_000
_OBJECT = {"temperature": 21.5, "humidity": 40, "place": "kitchen"}
_OBJECT_SCHEMA = {
    "type": "object",
    "properties": {
        "temperature": {"type": "number"},
        "humidity": {"type": "integer", "minimum": 0},
        "place": {"type": "string"},
    },
    "required": ["temperature"],
}


class CountingVFS(apsw.VFS):
    """The system's files, with every flush counted; while it is registered, SQLite opens all of them here."""

    def __init__(self) -> None:
        self.flushes = 0
        super().__init__("counting", "", makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        """Open a file."""
        return _CountingFile(self, name, flags)


class _CountingFile(apsw.VFSFile):
    def __init__(self, vfs: CountingVFS, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__("unix", name, flags)

    def xSync(self, flags: int) -> None:
        self._vfs.flushes += 1
        super().xSync(flags)


def connection(path: Path, synchronous: str) -> apsw.Connection:
    """Return a connection to a file with the table of points."""
    made = apsw.Connection(str(path))
    made.execute(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; {_TABLE}").fetchall()
    return made


def bare(path: Path, synchronous: str) -> Callable[[], object]:
    """Return an insert of the same row, without anything around it."""
    execute = connection(path, synchronous).execute
    return lambda: execute("INSERT INTO point (t, d, era) VALUES (?, ?, ?)", (time.time(), "21.5", 0))


def logger(path: Path, durability: Durability = "full") -> Logger:
    """Return a Logger with a stream of numbers."""
    log = Logger(path, durability=durability)
    log.addStream_force("s", {"type": "number"})
    return log


def queue(name: str, make: Callable[[Any], Callable[[], object]]) -> Callable[[], object] | None:
    """Return an insert into a queue of a library, if that is installed."""
    try:
        return make(import_module(name))
    except ImportError:
        print(f"{name} is not installed, and left out")
        return None


def rate(insert: Callable[[], object], number: int) -> float:
    """Return how many a second there are."""
    start = time.perf_counter()
    for _ in range(number):
        insert()
    return number / (time.perf_counter() - start)


def compare(
    title: str,
    ours: Callable[[], object],
    others: dict[str, tuple[Callable[[], object] | None, float]],
    rounds: int,
    number: int,
) -> None:
    """Measure in turns; *others* come with the goals."""
    there = {name: insert for name, (insert, _) in others.items() if insert is not None}
    costs: dict[str, list[float]] = {"": [], **{name: [] for name in there}}

    def measured(name: str, insert: Callable[[], object]) -> float:
        before = time.process_time()
        a_second = rate(insert, number)
        costs[name].append((time.process_time() - before) / number)
        return a_second

    cases = {name: partial(measured, name, insert) for name, insert in {"": ours, **there}.items()}
    figures = in_turns(cases, rounds)
    for name in there:
        report(title, figures[""], figures[name], "a second", least=others[name][1], against=name)
        report(f"{title}, processor time", costs[""], costs[name], "µs", against=name, scale=1e6)


def threads(log: Logger, number: int, total: int) -> float:
    """Return inserts a second of so many threads."""

    def work() -> None:
        for _ in range(total // number):
            log.insert("s", 21.5)

    running = [threading.Thread(target=work) for _ in range(number)]
    start = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return total / (time.perf_counter() - start)


def many(log: Logger, path: Path, rounds: int) -> None:
    """Compare `insert_many` with ``executemany``."""
    made = connection(path, "FULL")
    at = [time.time()]

    def points() -> list[tuple[float, float]]:
        at[0] += 2 * _MANY
        return [(at[0] + n, n % 1000 / 10) for n in range(_MANY)]

    def ours() -> float:
        given: list[Any] = [{"t": t, "d": d} for t, d in points()]
        start = time.perf_counter()
        log.insert_many({"s": given})
        return _MANY / (time.perf_counter() - start)

    def theirs() -> float:
        rows = [(t, str(d), None) for t, d in points()]
        start = time.perf_counter()
        made.execute("BEGIN IMMEDIATE")
        made.executemany("INSERT INTO point (t, d, era) VALUES (?, ?, ?)", rows)
        made.execute("COMMIT")
        return _MANY / (time.perf_counter() - start)

    figures = in_turns({"ours": ours, "theirs": theirs}, rounds)
    title, against = f"insert_many of {_MANY:,}, points a second", "executemany"
    report(title, figures["ours"], figures["theirs"], "thousand", least=0.6, against=against, scale=1e-3)


def validating(title: str, schema: dict[str, Any], value: Any, most: float, number: int) -> None:
    """Print what it takes to tell that a value is allowed."""
    checked = schemas.schema(schema)

    def validate() -> None:
        json_text.checked(value)
        checked.allows(value)

    figure(f"validating {title}", 1e6 / max(rate(validate, number) for _ in range(5)), "µs", most=most)


def flushes(folder: Path, number: int) -> float:
    """Return how often the disk is flushed for one durable insert."""
    vfs = CountingVFS()
    try:
        with logger(folder / "counted.db") as log:
            log.insert("s", 21.5)
            before = vfs.flushes
            for _ in range(number):
                log.insert("s", 21.5)
            counted = vfs.flushes - before
    finally:
        vfs.unregister()
    return counted / number


def one_by_one(folder: Path, rounds: int, number: int) -> None:
    """Compare single inserts with bare ones, and with those into queues."""
    persistent = queue(
        "persistqueue",
        lambda library: (lambda made: lambda: made.put(21.5))(library.SQLiteQueue(str(folder / "p"), auto_commit=True)),
    )
    light = queue(
        "litequeue", lambda library: (lambda made: lambda: made.put("21.5"))(library.LiteQueue(str(folder / "l")))
    )
    with logger(folder / "ours.db") as log, logger(folder / "batched.db", "batched") as batched:
        durable = {"bare": (bare(folder / "bare.db", "FULL"), 0.85), "persist-queue": (persistent, 1.2)}
        compare("durable inserts", lambda: log.insert("s", 21.5), durable, rounds, number)
        without = {"bare": (bare(folder / "normal.db", "NORMAL"), 0.8), "litequeue": (light, 2.0)}
        compare("batched inserts", lambda: batched.insert("s", 21.5), without, rounds, number * 10)
    with logger(folder / "free.db") as log:
        log._store._file.write(lambda made: made.execute("SELECT 1"))
        connected = log._store._file._commits._connection
        assert connected is not None
        connected.execute("PRAGMA synchronous = OFF")
        off = {"bare": (bare(folder / "off.db", "OFF"), 0.7)}
        compare("flushes free", lambda: log.insert("s", 21.5), off, rounds, number * 10)
    figure("flushes of a durable insert", flushes(folder, number), "", most=1.05)


def together(folder: Path, rounds: int, number: int) -> None:
    """Compare durable inserts of many threads with those of one."""
    with logger(folder / "together.db") as log:
        figures = in_turns({f"{n}": partial(threads, log, n, number * 4) for n in (1, 4, 16)}, rounds)
    report("4 threads", figures["4"], figures["1"], "a second", least=1.4, against="one")
    report("16 threads", figures["16"], figures["1"], "a second", least=3, against="one")


def rest(folder: Path, rounds: int, number: int) -> None:
    """Compare many at once with ``executemany``, and see what validating takes."""
    with logger(folder / "ours-many.db") as log:
        many(log, folder / "many.db", rounds)
    validating("a number", {"type": "number"}, 21.5, 0.5, number * 20)
    validating("a small object", _OBJECT_SCHEMA, _OBJECT, 3, number * 20)


_PARTS = {"inserts": one_by_one, "threads": together, "rest": rest}


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, rounds=15)
    parser.add_argument(
        "--inserts", type=int, default=400, help="of each measurement; ten times as many without flushes"
    )
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    parser.add_argument("--only", choices=_PARTS, help="measure just that")
    arguments = parser.parse_args()
    rounds, number = (3, 50) if arguments.short else (arguments.rounds, arguments.inserts)
    for part in [arguments.only] if arguments.only else _PARTS:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
            _PARTS[part](Path(name), rounds, number)


if __name__ == "__main__":
    main()
