"""Tests of `connectordb.logger.rows.cache_file`."""

from __future__ import annotations

import os
import threading
import time
import unittest
from pathlib import Path
from typing import get_args
from unittest import mock

import apsw

from connectordb.exceptions import ClosedError, StorageError, StorageFull
from connectordb.logger.rows.cache_file import Durability
from connectordb.logger.rows.store import Store
from connectordb.runtime import sqlite
from tests.support.case import SOON, Case
from tests.support.disks import FullDisk, Space
from tests.support.logger_cases import StoreCase, add, waiting


class CacheFileTests(StoreCase):
    """The file is flushed, private, closed once, and says when it is full."""

    def test_full_disk(self) -> None:
        """A full disk is a clear error that loses nothing, and the rest of a group does not suffer."""
        self.store.points.append(self.stream, 1.0, "1", 0)
        connection = self.store._file._commits._connection
        connection.pragma("max_page_count", int(connection.pragma("page_count")))
        with self.assertRaises(StorageFull):
            for _ in range(1000):
                self.store.points.append(self.stream, 1.0, '"' + "x" * 500 + '"', 0)
        before = self.store.points.waiting()
        self.assertEqual(before, len(waiting(self.store, self.stream)))
        connection.pragma("max_page_count", 10**6)
        self.store.points.append(self.stream, 1.0, "2", 0)
        self.assertEqual(self.store.points.waiting(), before + 1)

    def test_full_log(self) -> None:
        """Where there is no space for a longer log, it is begun anew, as long as the file holds what is in it."""
        file, begun = self.store._file, []
        self.store.points.append(self.stream, 1.0, "1", 0)
        salt = Path(f"{self.path}-wal").read_bytes()[16:24]

        def work(connection: sqlite.Connection) -> str:
            connection.execute("UPDATE stream SET synced = 1")
            begun.append(1)
            if len(begun) == 1:
                raise StorageFull("no space")
            return "done"

        self.assertEqual(file.write(work), "done")
        self.assertNotEqual(Path(f"{self.path}-wal").read_bytes()[16:24], salt)

    def test_log_written_back(self) -> None:
        """What the log holds is written into the file while somebody is in the midst of writing, and the log is begun anew then."""
        log, file = Path(f"{self.path}-wal"), self.store._file
        self.store.points.append(self.stream, 1.0, "1", 0)
        before, salt = self.path.read_bytes(), log.read_bytes()[16:24]
        has_it, go_on = threading.Event(), threading.Event()

        def hold(connection: sqlite.Connection) -> None:
            connection.execute("UPDATE stream SET synced = 1")
            has_it.set()
            go_on.wait(SOON)

        thread = threading.Thread(target=file.write, args=(hold,))
        thread.start()
        self.wait(has_it)
        file.write_log_back()
        go_on.set()
        thread.join(SOON)
        self.assertNotEqual(self.path.read_bytes(), before)
        file.write_log_back()
        self.store.points.append(self.stream, 2.0, "2", 0)
        self.assertNotEqual(log.read_bytes()[16:24], salt)
        self.assertEqual(len(waiting(self.store, self.stream)), 2)

    def test_log_stays(self) -> None:
        """Where the disk takes nothing the log stays as it is, and all is there; so it does while somebody else writes it back."""
        self.store.points.append(self.stream, 1.0, "1", 0)
        for error, level in ((apsw.FullError("no space"), "DEBUG"), (apsw.BusyError("locked"), None)):
            connection = mock.Mock()
            connection.wal_checkpoint.side_effect = error
            with mock.patch.object(self.store._file, "_reader", connection):
                if level is None:
                    self.store.write_log_back()
                else:
                    with self.assertLogs("connectordb.logger", level):
                        self.store.write_log_back()
        self.assertEqual(self.store.points.waiting(), 1)

    def test_closed(self) -> None:
        """After close nothing is written or read; closing again does nothing."""
        self.store.close()
        self.store.close()
        with self.assertRaises(ClosedError):
            self.store.points.append(self.stream, 1.0, "1", 0)
        with self.assertRaises(ClosedError):
            self.store.points.waiting()

    def test_private(self) -> None:
        """The file, which holds a key, can be read by its owner only."""
        self.assertEqual(os.stat(self.path).st_mode & 0o77, 0)

    def test_durable(self) -> None:
        """The writing connection flushes every commit."""
        connection = self.store._file._commits._connection
        self.assertEqual((connection.pragma("journal_mode"), connection.pragma("synchronous")), ("wal", 2))


@unittest.skipUnless(FullDisk.works(), "SQLite writes in another way on this system")
class FullDiskTests(Case):
    """A disk without space, under each durability, with threads that insert."""

    def test_goes_on(self) -> None:
        """Each is told that it is full, all that was accepted stays, and with space it goes on by itself."""
        for durability in get_args(Durability):
            with self.subTest(durability):
                self._fill(durability)

    def _fill(self, durability: Durability) -> None:
        path = self.folder() / "a.db"
        store = Store(path, durability)
        self.addCleanup(store.close)
        stream = add(store, "a")
        space = Space()
        disk = FullDisk(space)
        self.addCleanup(disk.close)
        accepted: list[str] = []
        full = threading.Barrier(4)

        def log(at: int) -> None:
            told = False
            for n in range(200):
                value = f'"{at} {n} {"x" * 500}"'
                try:
                    store.points.append(stream, time.time(), value, 0)
                except StorageFull:
                    if not told:
                        told = True
                        if full.wait(SOON) == 0:
                            space.free()
                        full.wait(SOON)
                else:
                    accepted.append(value)
            if not told:
                full.abort()

        space.leave(150_000)
        threads = [threading.Thread(target=log, args=(at,)) for at in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON)
        self.assertFalse(full.broken, "each was told")
        disk.close()
        self.assertEqual(sorted(row.d for row in waiting(store, stream)), sorted(accepted))
        self.assertGreater(len(accepted), 400)
        store.close()


class BadFileTests(Case):
    """What is no Logger's file is refused with words that help, and not touched."""

    def test_directory(self) -> None:
        """A directory is refused."""
        with self.assertRaisesRegex(StorageError, "directory"):
            Store(self.folder())

    def test_not_sqlite(self) -> None:
        """A file of another kind is refused, and stays as it is."""
        path = self.folder() / "a.db"
        path.write_text("hello " * 1000)
        with self.assertRaisesRegex(StorageError, "no SQLite file"):
            Store(path)
        self.assertEqual(path.read_text(), "hello " * 1000)

    def test_other_database(self) -> None:
        """An SQLite file of something else is refused, and gets no tables of ours."""
        path = self.folder() / "a.db"
        connection = apsw.Connection(str(path))
        connection.execute("CREATE TABLE bookmarks (url)")
        connection.close()
        with self.assertRaisesRegex(StorageError, r"no Logger's cache \(its tables: bookmarks\)"):
            Store(path)

    def test_newer(self) -> None:
        """A file of a newer version is refused."""
        path = self.folder() / "a.db"
        Store(path).close()
        connection = apsw.Connection(str(path))
        connection.pragma("user_version", 99)
        connection.close()
        with self.assertRaisesRegex(StorageError, "newer version"):
            Store(path)

    def test_no_folder(self) -> None:
        """A path below nothing is refused."""
        with self.assertRaisesRegex(StorageError, "give a path where a file can be made"):
            Store(self.folder() / "nowhere" / "a.db")
