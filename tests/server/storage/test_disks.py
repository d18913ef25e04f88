"""What a power cut and a full disk do to a storage."""

from __future__ import annotations

import errno
import random
import subprocess
import unittest
from contextlib import closing
from pathlib import Path
from typing import Any

from connectordb.exceptions import StorageError, StorageFull
from connectordb.runtime.sqlite import connect
from connectordb.server.storage import Series, SQLiteStorage
from connectordb.server.upkeep.check import first_finding

from ...support.case import SOON
from ...support.disks import FullDisk, LossyDisk, Space, cut_power
from .test_points import everything
from .trees import StorageCase, plant


def points(first: int, number: int, size: int = 10) -> list[dict[str, Any]]:
    """Return points that count on."""
    return [{"t": float(i + 1), "d": f"{i}".rjust(size)} for i in range(first, first + number)]


def copied(folder: Path, into: Path) -> Path:
    """Return a copy of a folder, made by another process: reading by this one would take away SQLite's locks."""
    subprocess.run(["cp", "-r", folder, into / "copy"], check=True, timeout=SOON)
    return into / "copy"


class PowerCuts(StorageCase):
    """What was acknowledged is there after a power cut, whatever else the disk wrote or did not write."""

    def test_cuts(self) -> None:
        """At each of many moments the disk has all that was acknowledged till then, whole."""
        directory, durable = self.folder(), self.folder()
        disk = LossyDisk(durable)
        self.addCleanup(disk.unregister)
        path = directory / "lossy.db"
        stages: list[tuple[int, Path, Path]] = []
        with closing(SQLiteStorage(path, readers=1)) as storage:
            series: Series = self.got(storage.write(plant))
            for count, size in ((0, 10), (1, 10), (200, 10), (201, 3000), (1400, 10), (1401, 10)):
                length = self.got(storage.read(lambda reader: reader.length(series)))
                self.got(
                    storage.write(
                        lambda writer, n=length, c=count, s=size: writer.insert(series, points(n, c, s), False)
                    )
                )
                stages.append((length + count, copied(directory, self.folder()), copied(durable, self.folder())))
        disk.unregister()
        for seed in range(4):
            for length, seen, flushed in stages:
                with self.subTest(seed=seed, length=length):
                    here, there = copied(seen, self.folder()), copied(flushed, self.folder())
                    cut_power(here, there, random.Random(seed))
                    self.assertIsNone(first_finding(here / "lossy.db"))
                    with closing(SQLiteStorage(here / "lossy.db", readers=1)) as storage:
                        found = self.got(storage.read(lambda reader: everything(reader, series)))
                    self.assertEqual(len(found), length)

    def test_flush_fails(self) -> None:
        """If the disk says that it could not flush, nothing of that is acknowledged; later inserts are."""
        directory, durable = self.folder(), self.folder()
        disk = LossyDisk(durable, "broken")
        self.addCleanup(disk.unregister)
        with closing(SQLiteStorage(directory / "lossy.db", readers=1)) as storage:
            series: Series = self.got(storage.write(plant))
            self.got(storage.write(lambda writer: writer.insert(series, points(0, 10), False)))
            disk.broken = True
            for _ in range(3):
                with self.assertRaisesRegex(StorageError, "I/O error|on purpose"):
                    self.got(storage.write(lambda writer: writer.insert(series, points(10, 10), False)))
                self.assertEqual(self.got(storage.read(lambda reader: reader.length(series))), 10)
            disk.broken = False
            self.got(storage.write(lambda writer: writer.insert(series, points(10, 5), False)))
            here, there = copied(directory, self.folder()), copied(durable, self.folder())
        disk.unregister()
        cut_power(here, there, random.Random(0))
        with closing(SQLiteStorage(here / "lossy.db", readers=1)) as storage:
            found = self.got(storage.read(lambda reader: everything(reader, series)))
        self.assertEqual([int(point["d"]) for point in found], list(range(15)))

    def test_it_loses(self) -> None:
        """The layer loses what was not flushed: without flushes, what was committed goes."""
        for safe in (False, True):
            directory, durable = self.folder(), self.folder()
            disk = LossyDisk(durable, f"lossy {safe}")
            self.addCleanup(disk.unregister)
            with closing(connect(directory / "lossy.db")) as connection:
                connection.execute("CREATE TABLE things (name)")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                connection.execute(f"PRAGMA synchronous = {'FULL' if safe else 'OFF'}")
                connection.execute("INSERT INTO things VALUES (1)")
                here, there = copied(directory, self.folder()), copied(durable, self.folder())
            disk.unregister()
            cut_power(here, there, random.Random(0))
            with self.subTest(safe=safe), closing(connect(here / "lossy.db")) as connection:
                self.assertEqual(connection.execute("SELECT count(*) FROM things").fetchone(), (int(safe),))


@unittest.skipUnless(FullDisk.works(), "SQLite writes in another way on this system")
class FullDisks(StorageCase):
    """On a full disk inserts are refused; what was there is there, and it goes on by itself when there is space again."""

    def setUp(self) -> None:
        super().setUp()
        self.space = Space()
        disk = FullDisk(self.space)
        self.addCleanup(disk.close)
        self.series = self.write(plant)
        self.length = 0

    def insert(self, number: int, size: int = 10) -> None:
        """Append points."""
        self.write(lambda writer: writer.insert(self.series, points(self.length, number, size), False))
        self.length += number

    def check(self) -> None:
        """Fail unless everything that was acknowledged is there, and nothing else."""
        found = self.read(lambda reader: everything(reader, self.series))
        self.assertEqual([int(point["d"]) for point in found], list(range(self.length)))
        self.assertEqual(self.read(lambda reader: reader.length(self.series)), self.length)

    def test_over_and_over(self) -> None:
        """Wherever it happens to become full, in the log or while that is written into the file."""
        chance = random.Random(7)
        full = 0
        for episode in range(60):
            self.space.leave(chance.choice((0, 24, 100, 5000, 60_000, 300_000)), strict=bool(episode % 2))
            for _ in range(5):
                try:
                    self.insert(chance.choice((1, 30, 500)), chance.choice((10, 200)))
                except StorageFull:
                    full += 1
                self.check()
            self.space.free()
            self.insert(1)
            self.check()
        self.assertGreater(full, 30)
        self.storage.close()
        self.assertIsNone(first_finding(self.path))

    def test_broken(self) -> None:
        """A disk that fails to write is no full one; it goes on as soon as the disk does."""
        self.insert(10)
        disk = FullDisk(self.space, errno.EIO)
        try:
            self.space.leave(5000, strict=True)
            with self.assertRaises(StorageError) as caught:
                for _ in range(50):
                    self.insert(1)
            self.assertNotIsInstance(caught.exception, StorageFull)
            self.check()
        finally:
            disk.close()
        self.space.free()
        self.insert(1)
        self.check()

    def test_checkpoint(self) -> None:
        """If the log cannot be written into the file, what is in it is kept, read, and written later."""
        self.insert(1)
        grown = self.path.stat().st_size
        wal = self.path.with_name(self.path.name + "-wal")
        self.insert(2000, 500)
        # the log's own space can be used again, the file's must grow
        self.space.leave(0)
        for _ in range(5):
            try:
                self.insert(100, 500)
            except StorageFull:
                pass
            self.check()
        self.space.free()
        self.insert(2000, 500)
        self.check()
        self.storage.close()
        self.assertGreater(self.path.stat().st_size, grown)
        self.assertFalse(wal.exists())
        self.assertIsNone(first_finding(self.path))

    def test_closing(self) -> None:
        """A server that ends on a full disk loses nothing: the log stays for the next one."""
        self.insert(3000, 300)
        self.space.leave(0)
        try:
            self.storage.close()
        finally:
            self.space.free()
        self.storage = self.opened()
        self.check()
        self.insert(1)
        self.check()

    def test_opening(self) -> None:
        """A server that is started on a full disk says so; it is the index of the log that has no space."""
        self.insert(10)
        self.storage.close()
        self.space.leave(0)
        with self.assertRaisesRegex(StorageFull, "the disk is full"):
            SQLiteStorage(self.path)
        self.space.free()
        self.storage = self.opened()
        self.check()

    def test_recovering(self) -> None:
        """If a long log was left behind and its index has no space, that is said, and over when there is space."""
        self.insert(1)
        self.write(lambda writer: writer._connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall())  # type: ignore[attr-defined]
        shm = self.path.with_name(self.path.name + "-shm")
        before = shm.stat().st_size
        while shm.stat().st_size == before:
            self.insert(1, 20_000)
        crashed = copied(self.path.parent, self.folder()) / self.path.name
        crashed.with_name(crashed.name + "-shm").unlink()
        self.space.leave(before + 4096)
        with self.assertRaisesRegex(StorageFull, "the disk is full"):
            SQLiteStorage(crashed)
        self.space.free()
        self.storage.close()
        self.storage = self.opened(crashed)
        self.check()
