"""
What `Logger.insert` costs above a bare, equally durable SQLite insert of the same row, and how often it flushes the disk.

    python benchmarks/logger_insert.py [--rounds 15] [--inserts 400] [--folder DIR] [--short]

Both are timed in turns in one run, so that a busy machine slows both; the ratio of the medians is what counts. Flushes are
counted by an SQLite file layer of our own below the Logger, in a separate round, as counting costs time. Many threads at
once, and the same without any flush (our own CPU time), are shown beside it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from connectordb.logger import Logger
from connectordb.runtime import sqlite

_TABLE = "CREATE TABLE point (id INTEGER PRIMARY KEY, t REAL NOT NULL, d TEXT NOT NULL, era INTEGER)"


class CountingVFS(apsw.VFS):
    """The system's files, with every flush counted."""

    def __init__(self) -> None:
        self.flushes = 0
        super().__init__("counting", "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        """Open a file."""
        return _CountingFile(self, name, flags)


class _CountingFile(apsw.VFSFile):
    def __init__(self, vfs: CountingVFS, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__("", name, flags)

    def xSync(self, flags: int) -> None:
        self._vfs.flushes += 1
        super().xSync(flags)


def bare(path: Path, synchronous: str) -> Callable[[], None]:
    """Return an insert of the same row, without anything around it."""
    connection = apsw.Connection(str(path))
    connection.execute(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; {_TABLE}").fetchall()

    def insert() -> None:
        connection.execute("INSERT INTO point (t, d, era) VALUES (?, ?, ?)", (time.time(), "21.5", 0))

    return insert


def logger(path: Path) -> Logger:
    """Return a Logger with one stream of numbers."""
    log = Logger(path)
    log.addStream_force("s", {"type": "number"})
    return log


def microseconds(insert: Callable[[], object], number: int) -> float:
    """Return what one call costs."""
    start = time.perf_counter()
    for _ in range(number):
        insert()
    return (time.perf_counter() - start) / number * 1e6


def compare(title: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int, number: int) -> None:
    """Time both in turns, and print medians and their ratio."""
    times: tuple[list[float], list[float]] = ([], [])
    for function in (ours, theirs):
        microseconds(function, number)
    for _ in range(rounds):
        for function, measured in zip((ours, theirs), times, strict=True):
            measured.append(microseconds(function, number))
    mine, other = (statistics.median(measured) for measured in times)
    each = statistics.median(two / one for one, two in zip(*times, strict=True))
    print(f"{title:34} {mine:8.1f} us   bare {other:8.1f} us   {other / mine:.2f}x bare (round by round {each:.2f}x)")


def flushes(folder: Path, number: int) -> float:
    """Return how often the disk is flushed for one insert."""
    vfs = CountingVFS()
    # the layer that new connections get is chosen by name, in the URI
    original = sqlite.apsw.Connection
    sqlite.apsw.Connection = lambda path: original(path, vfs="counting")  # type: ignore[assignment,misc]
    try:
        log = logger(folder / "counted.db")
    finally:
        sqlite.apsw.Connection = original  # type: ignore[misc]
    log.insert("s", 21.5)
    before = vfs.flushes
    for _ in range(number):
        log.insert("s", 21.5)
    counted = vfs.flushes - before
    log.close()
    return counted / number


def threads(log: Logger, number: int, each: int) -> float:
    """Return inserts a second of so many threads."""

    def work() -> None:
        for _ in range(each):
            log.insert("s", 21.5)

    running = [threading.Thread(target=work) for _ in range(number)]
    start = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return number * each / (time.perf_counter() - start)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--inserts", type=int, default=400)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    parser.add_argument("--short", action="store_true", help="three rounds only")
    arguments = parser.parse_args()
    if arguments.short:
        arguments.rounds = 3
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        with logger(folder / "ours.db") as log:
            ours = lambda: log.insert("s", 21.5)  # noqa: E731
            compare("durable, one thread", ours, bare(folder / "bare.db", "FULL"), arguments.rounds, arguments.inserts)
            one, four, many = (statistics.median(threads(log, n, 1600 // n) for _ in range(5)) for n in (1, 4, 16))
            print(f"threads: 1: {one:.0f}/s, 4: {four:.0f}/s ({four / one:.2f}x), 16: {many:.0f}/s ({many / one:.2f}x)")
            log._store._commits._connection.execute("PRAGMA synchronous = NORMAL")
            unflushed = bare(folder / "unflushed.db", "NORMAL")
            compare("without flushes: our own CPU", ours, unflushed, arguments.rounds, arguments.inserts * 5)
            points = [{"t": 4e9 + n, "d": 21.5} for n in range(10_000)]
            start = time.perf_counter()
            log.insert_many({"s": points})
            print(f"insert_many of 10,000: {(time.perf_counter() - start) * 1e3:.1f} ms")
        print(f"flushes per durable insert: {flushes(folder, 2000):.3f}")


if __name__ == "__main__":
    sys.exit(main())
