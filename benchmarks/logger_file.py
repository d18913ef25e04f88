"""
What a Logger's file costs: bytes written for a point, bytes it takes, inserts with ten million points waiting, and idling.

    python benchmarks/logger_file.py [--rounds 9] [--points 10000000] [--idle 10] [--folder DIR] [--short]

Goals: of what the 0.3.5 client's layout and journal write for an insert, 0.3 times at most; of the file that it makes, 1.1 times; an
insert into a file with ten million waiting points 1.2 times as long as into an empty one, without flushes; and idle, between two syncs, no
write and no wake-up. What is written is counted by an SQLite file layer below both, the checkpoints included; the two files are
filled in the same way. Whether a process is woken up its system knows (Linux).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import apsw
from _programs import started
from _rounds import figure, in_turns, options, report

from connectordb.logger import Logger
from connectordb.logger.rows.cache_file import Durability

_OLD = (
    "CREATE TABLE cache (stream TEXT, timestamp REAL, jsondata TEXT); CREATE TABLE streams (stream TEXT, jsonschema TEXT);"
    "CREATE TABLE metadata (apikey TEXT, serverurl TEXT, lastsynctime REAL, syncperiod REAL, userdatajson TEXT)"
)
_STREAM = "temperature"
_SINK = str(Path(__file__).with_name("_sink.py"))

#: Logs a little, syncs, and would sync again in ten minutes.
_IDLE = """
import sys, time
from connectordb.logger import Logger
with Logger(sys.argv[1], apikey="key", durability=sys.argv[2]) as logger:
    logger.serverurl = sys.argv[3]
    logger.addStream_force("temperature", {"type": "number"})
    for _ in range(10):
        logger.insert("temperature", 21.5)
    logger.syncperiod = 600
    logger.start()
    print("idle", flush=True)
    sys.stdin.read()
"""


class CountingVFS(apsw.VFS):
    """The system's files, with every byte counted that is written; while it is registered, SQLite opens all of them here."""

    def __init__(self) -> None:
        self.written = 0
        self.base = apsw.vfs_names()[0]
        super().__init__("counting", self.base, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        """Open a file."""
        return _CountingFile(self, name, flags)


class _CountingFile(apsw.VFSFile):
    def __init__(self, vfs: CountingVFS, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__(vfs.base, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._vfs.written += len(data)
        super().xWrite(data, offset)


def logger(path: Path, durability: Durability = "full") -> Logger:
    """Return a Logger with a stream of numbers."""
    log = Logger(path, durability=durability)
    log.addStream_force(_STREAM, {"type": "number"})
    return log


def old(path: Path) -> apsw.Connection:
    """Return a connection to a file as 0.3.5 makes it: its tables, and SQLite's own settings."""
    made = apsw.Connection(str(path))
    made.execute(_OLD).fetchall()
    return made


def sizes(folder: Path, number: int) -> None:
    """Insert as often into both files, and compare what is written and how large they are."""
    vfs = CountingVFS()
    try:
        log = logger(folder / "ours.db")
        before = vfs.written
        for _ in range(number):
            log.insert(_STREAM, 21.5)
        log.close()
        ours = vfs.written - before
        theirs = old(folder / "old.db")
        before = vfs.written
        for _ in range(number):
            theirs.execute("INSERT INTO cache VALUES (?, ?, ?)", (_STREAM, time.time(), "21.5"))
        theirs.close()
        report(
            "bytes written for an insert",
            [ours / number],
            [(vfs.written - before) / number],
            "bytes",
            most=0.3,
            against="0.3.5",
        )
    finally:
        vfs.unregister()


def lengths(folder: Path, number: int) -> None:
    """Compare how large the files are in which as many points wait."""
    now = time.time()
    with logger(folder / "ours.db") as log:
        log.insert_many({_STREAM: [{"t": now + n * 1.001, "d": n % 1000 / 10} for n in range(number)]})
    made = old(folder / "old.db")
    with made:
        made.executemany(
            "INSERT INTO cache VALUES (?, ?, ?)",
            ((_STREAM, now + n * 1.001, str(n % 1000 / 10)) for n in range(number)),
        )
    made.close()
    ours, theirs = ((folder / name).stat().st_size / number for name in ("ours.db", "old.db"))
    report("bytes of the file for a point", [ours], [theirs], "bytes", most=1.1, against="0.3.5")


def waiting(folder: Path, number: int, rounds: int, inserts: int) -> None:
    """Compare inserts into a file in which *number* points wait with those into an empty one; flushes would hide the difference."""
    with logger(
        folder / "full.db"
    ) as filling:  # closed, so that nothing is left to be brought from the log into the file
        start = time.time() - number
        for first in range(0, number, 100_000):
            last = min(number, first + 100_000)
            filling.insert_many({_STREAM: [{"t": start + n, "d": 21.5} for n in range(first, last)]})
    with logger(folder / "full.db", "batched") as full, logger(folder / "empty.db", "batched") as empty:

        def seconds(log: Logger) -> float:
            began = time.perf_counter()
            for _ in range(inserts):
                log.insert(_STREAM, 21.5)
            return (time.perf_counter() - began) / inserts

        seconds(full), seconds(empty)  # the first points of a process take longer
        figures = in_turns({"full": lambda: seconds(full), "empty": lambda: seconds(empty)}, rounds)
        title = f"an insert with {len(full):,} points waiting"
        report(title, figures["full"], figures["empty"], "µs", most=1.2, against="an empty file", scale=1e6)


def activity(process: int) -> tuple[int, int]:
    """Return how often a process has been woken up, and how many bytes it has written."""
    tasks = Path(f"/proc/{process}/task")
    lines = [line for task in tasks.iterdir() for line in (task / "status").read_text().splitlines()]
    woken = sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
    text = Path(f"/proc/{process}/io").read_text()
    return woken, int(text.split("wchar: ")[1].split()[0])


def idle(folder: Path, url: str, seconds: float) -> None:
    """Have a program log, wait until it has settled, and look what it does in the time after."""
    if not os.path.isdir("/proc/self/task"):
        print("idle: not measured, as this system does not tell")
        return
    for durability in ("full", "batched"):
        arguments = [sys.executable, "-c", _IDLE, str(folder / f"{durability}.db"), durability, url]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            if process.stdout.readline() != "idle\n":
                raise RuntimeError("the program does not run")
            time.sleep(4)  # its first sync, and the last flush
            before = activity(process.pid)
            time.sleep(seconds)
            woken, written = (now - then for now, then in zip(activity(process.pid), before, strict=True))
            process.kill()
        figure(f"idle for {seconds:g} s, {durability}: wake-ups", woken, "", most=0)
        figure(f"idle for {seconds:g} s, {durability}: written", written, "bytes", most=0)


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.add_argument("--points", type=int, default=10_000_000, help="that wait")
    parser.add_argument("--idle", type=float, default=10.0, help="seconds")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    arguments = parser.parse_args()
    points, rounds, seconds, inserts = arguments.points, arguments.rounds, arguments.idle, 2000
    if arguments.short:
        points, rounds, seconds, inserts = 100_000, 2, 1.0, 100
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folders = [Path(name, str(number)) for number in range(4)]
        for folder in folders:
            folder.mkdir()
        sizes(folders[0], inserts)
        lengths(folders[1], min(points, 1_000_000))
        waiting(folders[2], points, rounds, inserts)
        with started(sys.executable, _SINK) as sink:
            idle(folders[3], sink.url, seconds)


if __name__ == "__main__":
    main()
