"""Tests of `connectordb.logger.rows.reserve`."""

from __future__ import annotations

import os
from collections import namedtuple
from pathlib import Path
from unittest import mock

from connectordb.exceptions import StorageFull
from connectordb.logger.records import Columns
from connectordb.logger.rows import reserve
from connectordb.runtime import checkpoints, sqlite
from tests.support.logger_cases import StoreCase

Disk = namedtuple("Disk", "total free")

MB = 1024 * 1024


class Reserves(StoreCase):
    """Points leave something of the disk to what sends them."""

    def disk(self, free: int, total: int = 1000 * MB) -> mock.Mock:
        """Have the disk be so full from now on."""
        patch = mock.patch.object(reserve.shutil, "disk_usage", return_value=Disk(total, free))
        self.addCleanup(patch.stop)
        looks = patch.start()
        self.store._file.reserve._left = 0
        return looks

    def insert(self, value: str = "1") -> None:
        """Insert a point."""
        self.store.points.append(self.stream, 1.0, value, 0)

    def test_kept(self) -> None:
        """With too little left no point is taken, one by one or many, whatever their time; all else is written."""
        self.insert()
        for free, total in ((MB, 1000 * MB), (0, 1000 * MB), (MB // 8, MB)):
            self.disk(free, total)
            for insert in (
                self.insert,
                lambda: self.store.points.append_at(self.stream, 2.0, "1", 2.0),
                lambda: self.store.points.append_many({self.stream: [(2.0, "1")]}, 2.0),
            ):
                with self.assertRaisesRegex(StorageFull, f"but for {free:,} bytes that are kept"):
                    insert()
        self.store.notes.resolve(self.stream, [])
        self.disk(2 * MB)
        self.insert()
        self.assertEqual(self.store.points.waiting(), 2)

    def test_growing(self) -> None:
        """What is in the log has to find its place in the file yet: it is written there before a point is refused."""
        reader = sqlite.connect(self.path)
        self.addCleanup(reader.close)
        reader.execute("BEGIN; SELECT * FROM point").fetchall()
        self.insert('"' + "x" * MB + '"')
        self.disk(2 * MB)
        with mock.patch.object(checkpoints, "_MOMENT", 1), self.assertRaises(StorageFull):
            self.insert()
        reader.execute("COMMIT")
        self.insert()
        self.assertLess(os.path.getsize(f"{self.path}-wal"), MB)

    def test_sending(self) -> None:
        """Before much is noted on a disk that is nearly full, what is in the log is in the file, for which there may be no room later."""
        log = Path(f"{self.path}-wal")
        for free, size in ((500 * MB, log.stat().st_size), (8 * MB, 0)):
            self.disk(free)
            self.store.make_room()
            self.assertEqual(log.stat().st_size, size)
        self.disk(0).side_effect = OSError(5, "I/O error")
        self.store.make_room()

    def test_filled_again(self) -> None:
        """A disk that is full takes as many points again once these were sent, however short the log is that it has room for."""

        def usage(folder: str) -> Disk:
            files = (each for each in Path(folder).iterdir() if not each.name.endswith("-shm"))
            return Disk(2 * MB, 2 * MB - sum(each.stat().st_size for each in files))

        self.disk(0).side_effect = usage
        numbers = []
        for _ in range(3):
            with self.assertRaises(StorageFull):
                while True:
                    self.insert('"' + "x" * 100 + '"')
            numbers.append(self.store.points.waiting())
            self.store._file.write(lambda connection: connection.execute("DELETE FROM point"))
        self.assertGreater(numbers[0], 200)
        self.assertGreater(min(numbers[1:]), numbers[0] * 0.7)

    def test_inside(self) -> None:
        """A file that has room in it is filled, however full the disk is."""
        self.insert('"' + "x" * MB + '"')
        self.store.points.append_many({self.stream: Columns([2.0], ["2"])}, 2.0)
        self.store._file.write(lambda connection: connection.execute("DELETE FROM point WHERE t < 2"))
        self.disk(0)
        for _ in range(50):
            self.insert('"' + "x" * 1000 + '"')

    def test_looks(self) -> None:
        """The disk is looked at now and then; a large one not closely; one that says nothing, or fails, not at all."""
        looks = self.disk(500 * MB)
        for _ in range(200):
            self.insert()
        self.assertLess(len(looks.mock_calls), 5)
        self.disk(0, total=0)
        self.insert()
        self.disk(0).side_effect = OSError(5, "I/O error")
        self.insert()
