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
        assert process.stdout is not None
        process.stdout.readline()
        first = time.perf_counter() - began
        found = 1
        highest = 0.0
        while block := process.stdout.read(1 << 22):
            found += block.count(b"\n")
            highest = max(highest, _peak(process.pid))
    seconds = time.perf_counter() - began
    if process.returncode or abs(found - lines) > 1:
        raise RuntimeError(f"{command}: {found} lines of {lines}, status {process.returncode}")
    what = command.partition(" FILE")[0]
    figure(f"{what}, {lines:,} points, the whole process", highest, "MiB", most=64 if lines else 0)
    figure(f"{what}, the server meanwhile, more than before", server.peak() - before, "MiB", most=64)
    figure(f"{what}, the first line after", first, "s", most=1 if lines else 0)
    figure(f"{what}, all after", seconds, "s")


def _peak(process: int) -> float:
    highest = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(highest[1]) / 1024 if highest else 0.0


if __name__ == "__main__":
    main()
