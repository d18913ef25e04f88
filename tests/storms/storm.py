"""One storm from its beginning to its verdict."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from connectordb import ConnectorDB, ConnectorDBError
from connectordb.server import check, create

from ..support.lives import Lives
from .clients import PATIENCE, Book, Client, Reader, Writer

WRITERS, READERS = 8, 4

#: Seconds that a server may take to answer.
_START = 60.0


class Storm:
    """
    A server with its clients.

    Args:
        disk: As `Lives` has it.
        seed: What happens when, as far as that is ours to say.
    """

    def __init__(self, disk: str, seed: int) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="connectordb-storm-"))
        self.chance = random.Random(seed)
        self.book = Book()
        self.database, self.durable = self.work / "database", self.work / "durable"
        create(self.database, test=True)
        self.lives = Lives(self.work, "real" if disk == "lossy" else disk)
        self._stop = threading.Event()
        self._streams = [f"own{number}" for number in range(WRITERS)] + ["shared"]
        pid = self.lives.start()
        apikey = self._prepare()
        self.lives.end(pid, signal.SIGTERM)
        if disk == "lossy":
            self.lives.close()
            shutil.copytree(self.database, self.durable)
            self.lives = Lives(self.work, disk)
        port = self.lives.port
        self._writers = [
            Writer(number, Client(port, apikey), "test/storm", self.book, self._stop, seed) for number in range(WRITERS)
        ]
        self._readers = [
            Reader(Client(port, apikey), "test/storm", self._streams, self.book, self._stop, seed * 1000 + number)
            for number in range(READERS)
        ]

    def _connected(self) -> ConnectorDB:
        deadline = time.monotonic() + _START
        while True:
            try:
                return ConnectorDB("test", "test", url=f"http://127.0.0.1:{self.lives.port}")
            except ConnectorDBError:
                if time.monotonic() > deadline:
                    raise
                self._stop.wait(0.05)

    def _prepare(self) -> str:
        with self._connected() as cdb:
            device = cdb("test/storm")
            device.create()
            for name in self._streams:
                device[name].create()
            return str(device.apikey)

    def begin(self) -> None:
        """Let the clients loose."""
        for thread in [*self._writers, *self._readers]:
            thread.start()

    def end(self) -> None:
        """Stop the clients."""
        self._stop.set()
        for thread in [*self._writers, *self._readers]:
            thread.join(2 * PATIENCE)
            if thread.is_alive():
                self.book.complain(f"{thread.name} has not ended")

    def verdict(self) -> None:
        """Start the server once more, compare all there is with the book, and check the files."""
        pid = self.lives.start()
        with self._connected() as cdb:
            for name in self._streams:
                stream = cdb(f"test/storm/{name}")
                points = json.loads(json.dumps(list(stream[:])))
                if len(stream) != len(points):
                    self.book.complain(f"{name}: {len(points)} points, and a length of {len(stream)}")
                self._compare(name, points)
        self.lives.end(pid, signal.SIGTERM)
        self.lives.close()
        check(self.database, lambda finding: self.book.complain(f"check: {finding}"))

    def _compare(self, stream: str, points: Sequence[dict[str, Any]]) -> None:
        book = self.book
        found: set[tuple[str, int, int]] = set()
        newest: dict[int, int] = {}
        at = 0
        times = [point["t"] for point in points]
        if times != sorted(times):
            book.complain(f"{stream}: times go back")
        while at < len(points):
            writer, batch, _, size, *_ = points[at]["d"]
            here = [point["d"][:4] for point in points[at : at + size]]
            if here != [[writer, batch, number, size] for number in range(size)]:
                book.complain(f"{stream}: at {at} batch {batch} of writer {writer} is not whole, or not in order")
                size = 1
            key = (stream, writer, batch)
            if key in found:
                book.complain(f"{stream}: batch {batch} of writer {writer} is there twice")
            if batch <= newest.get(writer, -1):
                book.complain(f"{stream}: batch {batch} of writer {writer} comes behind {newest[writer]}")
            newest[writer] = batch
            found.add(key)
            at += size
        of_stream = {key for key in book.acknowledged if key[0] == stream}
        for what, keys in (
            ("was acknowledged and is not there", of_stream - found),
            ("was refused and is there", found & book.refused),
            ("is there and was never sent", found - of_stream - book.unknown - book.refused),
        ):
            for _, writer, batch in sorted(keys)[:5]:
                book.complain(f"{stream}: batch {batch} of writer {writer} {what} ({len(keys)} such)")

    def figures(self) -> str:
        """Return what came of it, in a line."""
        book = self.book
        points = sum(book.points.values())
        return (
            f"{len(book.acknowledged):,} batches with {points:,} points acknowledged, {len(book.unknown):,} of unknown "
            f"outcome, {len(book.refused):,} refused; {book.again:,} sent again under their key; {sum(reader.reads for reader in self._readers):,} reads; "
            f"answers {dict(sorted(book.statuses.items()))}; "
            f"{(self.database / 'connectordb.db').stat().st_size / 2**20:.1f} MiB"
        )

    def clean(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.work)


def run(name: str, disk: str, default: int, unit: str, short: int, weather: Callable[[Storm, int], str]) -> int:
    """
    Run a storm as a program; return its status.

    Args:
        name: What the program is called.
        disk: As `Lives` has it.
        default: How many times it goes wrong.
        unit: What happens so many times, as its option is called.
        short: How many times in a short run.
        weather: Does it so many times, and tells in a line what came of it.
    """
    parser = argparse.ArgumentParser(prog=f"python -m tests.storms.{name}", description=weather.__doc__)
    parser.add_argument(f"--{unit}", type=int, default=default, dest="times", help=f"how many (default {default})")
    parser.add_argument("--seed", type=int, default=None, help="what is random; printed, so that it can be repeated")
    parser.add_argument("--short", action="store_true", help=f"{short} {unit}, for CI")
    options = parser.parse_args()
    seed = int.from_bytes(os.urandom(3), "big") if options.seed is None else options.seed
    times = short if options.short else options.times
    print(f"{name}: seed {seed}, {times} {unit}, {WRITERS} writers, {READERS} readers", flush=True)
    began = time.monotonic()
    storm = Storm(disk, seed)
    said = ""
    try:
        storm.begin()
        said = weather(storm, times)
    except AssertionError as error:
        storm.book.complain(str(error))
    finally:
        storm.end()
    if not storm.book.wrong:
        storm.verdict()
    print(f"{name}: {said}; {storm.figures()}; {time.monotonic() - began:.0f} s")
    for wrong in storm.book.wrong[:20]:
        print(f"WRONG: {wrong}")
    if storm.book.wrong:
        print(f"{len(storm.book.wrong)} things are wrong; the files are kept in {storm.work}", file=sys.stderr)
        return 1
    storm.clean()
    print(f"{name}: nothing is wrong")
    return 0
