"""
Bytes that a point takes on the disk: a number a second, in chunks that are still open and in closed ones.

    python benchmarks/server_bytes.py [--points 1000000] [--streams 1000] [--short]

Goals: 40 at most where every stream has one open chunk and nothing else, 11 at most in one long stream, where nearly all
chunks are closed. Counted is what the file grows by, all of it. Times with a millisecond part, which compress less well, are
shown beside it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from _database import filled, reopened
from _rounds import figure, options

#: Points of an open chunk that is nearly full.
_OPEN = 240


def grown(folder: Path, streams: int, number: int, jitter: float = 0.0) -> float:
    """Return by how many bytes a point a database grows that gets so many of them in each stream."""
    file, devices = folder / "connectordb.db", [f"d{index}" for index in range(streams)]
    with filled(folder) as filling:
        filling.devices(devices)
    before = file.stat().st_size
    with reopened(folder) as filling:
        for device in devices:
            filling.points(device, number, jitter)
    return (file.stat().st_size - before) / (number * streams)


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--streams", type=int, default=1000)
    arguments = parser.parse_args()
    points, streams = (50_000, 50) if arguments.short else (arguments.points, arguments.streams)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figure(
            f"{streams:,} streams of {_OPEN} points, all open",
            grown(folder / "a", streams, _OPEN),
            "B a point",
            most=40,
        )
        figure(
            f"one stream of {points:,} points, nearly all closed", grown(folder / "b", 1, points), "B a point", most=11
        )
        figure("the same with milliseconds in the times", grown(folder / "c", 1, points, 0.9), "B a point")


if __name__ == "__main__":
    main()
