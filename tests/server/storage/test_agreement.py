"""Lengths, indices, times and points agree, however many write and read at once, and whatever fails in between."""

from __future__ import annotations

import random
import threading
import unittest
from concurrent.futures import Future
from typing import Any

from connectordb.exceptions import StorageFull
from connectordb.server.storage import Reader, Series, Writer
from connectordb.server.upkeep.check import first_finding

from ...support.case import SOON
from ...support.disks import FullDisk, Space
from .test_points import everything
from .trees import StorageCase, plant

WRITERS = READERS = 8


class Agreement(StorageCase):
    """Each view of a stream is one of its prefixes, and everything that is said of it fits."""

    def setUp(self) -> None:
        super().setUp()
        self.series: Series = self.write(plant)
        self.told = 0
        self.lock = threading.Lock()
        self.trouble: list[BaseException] = []

    def together(self, *work: Any) -> None:
        """Run functions in threads of their own, and fail if one fails."""

        def guarded(each: Any) -> None:
            try:
                each()
            except BaseException as error:
                self.trouble.append(error)

        threads = [threading.Thread(target=guarded, args=(each,)) for each in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(3 * SOON)
        for error in self.trouble:
            raise error

    def writing(self, number: int, batches: int) -> None:
        """Append batches; some of the transactions fail after that."""
        chance = random.Random(number)
        for batch in range(batches):
            size = chance.choice((1, 1, 3, 40, 400))
            points = [{"t": float(batch + 1), "d": [number, batch, each]} for each in range(size)]
            fails = chance.random() < 0.15

            def work(writer: Writer, points: list[dict[str, Any]] = points, fails: bool = fails) -> int:
                inserted = writer.insert(self.series, points, True)
                assert inserted.first + len(points) == writer.length(self.series)
                assert writer.newest(self.series) == inserted.times[-1]
                if fails:
                    raise KeyError("on purpose")
                return inserted.first

            future: Future[int] = self.storage.write(work)
            try:
                first = future.result(SOON)
            except KeyError:
                continue
            except StorageFull:
                continue
            with self.lock:
                self.told = max(self.told, first + size)

    def look(self, reader: Reader, chance: random.Random, least: int) -> list[dict[str, Any]]:
        """Return all points of a view in which everything fits."""
        points = everything(reader, self.series)
        length, newest = reader.length(self.series), reader.newest(self.series)
        assert length == len(points) >= least, (length, len(points), least)
        times = [point["t"] for point in points]
        assert times == sorted(times)
        assert newest == (times[-1] if times else None)
        assert reader.index_after(self.series, float("inf")) == length
        for index in chance.sample(range(length), k=min(5, length)):
            text, after = reader.text(self.series, index, index + 1, 1)
            assert after == index + 1
            behind = reader.index_after(self.series, times[index])
            assert behind > index and times[behind - 1] == times[index]
            assert behind == length or times[behind] > times[index]
        return points

    def reading(self, number: int, over: threading.Event) -> None:
        """Look until all has been written; what was seen stays as it was."""
        chance = random.Random(number)
        before: list[dict[str, Any]] = []
        while not over.is_set():
            with self.lock:
                least = self.told
            points = self.storage.read(lambda reader, least=least: self.look(reader, chance, least)).result(SOON)
            assert points[: len(before)] == before
            before = points

    def storm(self, *more: Any) -> list[dict[str, Any]]:
        """Have everybody write and read; return what there is in the end."""
        over = threading.Event()
        left = [WRITERS]

        def write(number: int) -> None:
            try:
                self.writing(number, 12)
            finally:
                with self.lock:
                    left[0] -= 1
                    if not left[0]:
                        over.set()

        self.together(
            *(lambda number=number: write(number) for number in range(WRITERS)),
            *(lambda number=number: self.reading(number, over) for number in range(READERS)),
            *(lambda each=each: each(over) for each in more),
        )
        points = self.read(lambda reader: self.look(reader, random.Random(0), self.told))
        for number in range(WRITERS):
            own = [point["d"][1:] for point in points if point["d"][0] == number]
            self.assertEqual(own, sorted(own), "each writer's in the order of its inserts")
            self.assertEqual(len(own), len({tuple(each) for each in own}), "and once")
        self.storage.close()
        self.assertIsNone(first_finding(self.path))
        return points

    def test_sixteen(self) -> None:
        """Eight write, some of them in vain, and eight read."""
        self.assertEqual(len(self.storm()), self.told)

    @unittest.skipUnless(FullDisk.works(), "SQLite writes in another way on this system")
    def test_full_disk(self) -> None:
        """The same while the disk is full now and then."""
        space = Space()
        disk = FullDisk(space)
        self.addCleanup(disk.close)
        chance = random.Random(1)

        def filling(over: threading.Event) -> None:
            while not over.is_set():
                space.leave(chance.randrange(40_000))
                over.wait(0.01)
                space.free()
                over.wait(0.02)

        self.assertEqual(len(self.storm(filling)), self.told)
