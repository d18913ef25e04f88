"""
Iteration over a stream of 10,000,000 points: what memory it takes.

    python benchmarks/iterate.py [--points 10000000] [--short]

Goal: the whole process, Python and all libraries included, never takes more than 64 MiB, with ``for point in stream`` as with ``pages()``. Each
is a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from _baselines import KEY
from _database import filled
from _programs import ours
from _rounds import figure, options

_ITERATING = str(Path(__file__).with_name("_iterating.py"))

_WAYS = {"points": "for point in stream", "pages": "for page in stream.pages()"}


def main() -> None:
    """Measure, and print the figures."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--points", type=int, default=10_000_000)
    arguments = parser.parse_args()
    number = 100_000 if arguments.short else arguments.points
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "ours"
        with filled(folder) as filling:
            filling.devices([KEY])
            filling.points(KEY, number)
        with ours(folder) as server:
            for way, what in _WAYS.items():
                command = [sys.executable, _ITERATING, way, server.url, KEY]
                found, memory, seconds = subprocess.run(
                    command, check=True, capture_output=True, text=True
                ).stdout.split()
                if int(found) != number:
                    raise RuntimeError(f"{found} points of {number}")
                figure(f"{what}, {number:,} points, the whole process", int(memory) / 1024, "MiB", most=64)
                figure(f"{what}, points a second", number / float(seconds), "")


if __name__ == "__main__":
    main()
