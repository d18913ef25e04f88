"""
Long answers of queries on the command line: what memory ``cat --transform``, ``merge`` and ``dataset`` take, client and server, and when the first line is there.

    python benchmarks/long_answers.py [--points 1000000] [--short]

Goal: a command's whole process, Python and all libraries included, never takes more than 64 MiB, nor the server 64 MiB more than before, however many points there are; the first line is there
within a second.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from _baselines import KEY
from _database import filled
from _programs import Program, ours
from _rounds import figure, options

#: A second stream of the device.
_ANOTHER = "another"

#: What is typed, and how many points a stream of so many makes of it.
_COMMANDS = {
    "cat s": 1,
    "cat s --transform $+1": 1,
    f"merge s {_ANOTHER}": 2,
    f"dataset --x s other={_ANOTHER}": 1,
    f"dataset --x s other={_ANOTHER} --csv": 1,
    f"merge s {_ANOTHER} --parquet FILE": 0,
    f"dataset --x s other={_ANOTHER} --parquet FILE": 0,
}


def main() -> None:
    """Measure, and print the figures."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--points", type=int, default=1_000_000)
    arguments = parser.parse_args()
    number = 20_000 if arguments.short else arguments.points
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "ours"
        with filled(folder) as filling:
            filling.devices([KEY])
            filling.streams(KEY, [_ANOTHER])
            filling.points(KEY, number, 0.5)
            filling.points(KEY, number, 0.5, _ANOTHER)
        with ours(folder) as server:
            for command, times in _COMMANDS.items():
                _measure(server, command, number * times, Path(name))


def _measure(server: Program, command: str, lines: int, folder: Path) -> None:
    words = [sys.executable, "-m", "connectordb", *command.replace("FILE", str(folder / "file.parquet")).split()]
    settings = {"CONNECTORDB_URL": server.url, "CONNECTORDB_APIKEY": KEY, "HOME": str(folder), "PATH": ""}
    settings["PYTHONPATH"] = str(Path(__file__).parents[1])
    before = server.memory()
    server.forget_peak()
    began = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=settings) as process:
        watched = Watched(process.pid)
        assert process.stdout is not None
        found = 0 if process.stdout.readline() == b"" else 1
        first = time.perf_counter() - began
        while block := process.stdout.read(1 << 22):
            found += block.count(b"\n")
        highest = watched.end()
    seconds = time.perf_counter() - began
    if process.returncode or abs(found - lines) > 1:
        raise RuntimeError(f"{command}: {found} lines of {lines}, status {process.returncode}")
    what = command.removesuffix(" FILE")
    figure(f"{what}, the whole process", highest, "MiB", most=64 if lines else 0)
    figure(f"{what}, the server meanwhile, more than before", server.peak() - before, "MiB", most=64)
    if lines:
        figure(f"{what}, the first of {lines:,} lines after", first, "s", most=1)
    figure(f"{what}, all after", seconds, "s")


class Watched:
    """A process whose memory is looked at every few milliseconds, as it takes what it knows of that with it."""

    def __init__(self, process: int) -> None:
        self._status = Path(f"/proc/{process}/status")
        self._highest = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> float:
        """Return the most that it ever took, in MiB."""
        self._ended.set()
        self._thread.join()
        return self._highest

    def _look(self) -> None:
        while not self._ended.wait(0.01):
            found = re.search(r"VmHWM:\s*(\d+) kB", self._status.read_text())
            self._highest = int(found[1]) / 1024 if found else self._highest


if __name__ == "__main__":
    main()
