"""Tests of `connectordb.logger.file.flushing`, and of what outlasts a power cut under each durability."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from unittest import mock

import apsw

from connectordb.exceptions import LocalProtocolError, StorageError
from connectordb.logger import Logger
from connectordb.logger.file import flushing
from connectordb.logger.file.flushing import Flushing
from connectordb.logger.records import Coming
from connectordb.logger.rows.cache_file import Durability
from connectordb.logger.rows.store import Store
from connectordb.runtime import sqlite
from tests.support.case import MS, SOON, Case
from tests.support.disks import LossyDisk, cut_power
from tests.support.logger_cases import NOWHERE, add, noted, waiting

#: Logs a point, as a program that then ends in one way or another.
_PROGRAM = """
import os, sys
from pathlib import Path
from connectordb.logger import Logger
from tests.support.disks import LossyDisk

disk = LossyDisk(Path(sys.argv[2]))
logger = Logger(sys.argv[1], durability=sys.argv[3])
logger.addStream_force("s")
logger.insert("s", 1)
if sys.argv[4] == "kill":
    os.kill(os.getpid(), 9)
import atexit
atexit._run_exitfuncs()
os._exit(0)  # the layer, which is in Python, would not survive the rest
"""


def flushers() -> list[threading.Thread]:
    """Return the threads that flush."""
    return [thread for thread in threading.enumerate() if thread.name == "connectordb-logger-flush"]


class DurabilityTests(Case):
    """Each durability keeps what it says, on a disk that forgets what was not flushed."""

    def open(self, durability: Durability) -> Store:
        self.durable, folder = self.folder(), self.folder()
        self.disk = LossyDisk(self.durable)
        self.addCleanup(self.disk.unregister)
        self.path = folder / "a.db"
        store = Store(self.path, durability)
        self.addCleanup(store.close)
        self.stream = add(store, "a")
        return store

    def after_power_cut(self) -> list[str]:
        """Return what would wait in the file if the power were cut now."""
        copy = self.folder()
        shutil.copytree(self.durable, copy, dirs_exist_ok=True)
        connection = apsw.Connection(str(copy / "a.db"), vfs=self.disk.base)
        try:
            return [d for (d,) in connection.execute("SELECT d FROM point ORDER BY id")]
        finally:
            connection.close()

    def test_full(self) -> None:
        """Every insert is on the disk when it returns."""
        store = self.open("full")
        store.points.append(self.stream, 1.0, "1", 0)
        self.assertEqual(self.after_power_cut(), ["1"])
        store.points.append_many({self.stream: [(2.0, "2"), (3.0, "3")]}, 5.0)
        self.assertEqual(self.after_power_cut(), ["1", "2", "3"])

    def test_batched(self) -> None:
        """What was inserted is on the disk a moment later; the thread that does it is there only meanwhile."""
        with mock.patch.object(flushing, "PERIOD", 30 * MS):
            store = self.open("batched")
            self.assertEqual(flushers(), [])
            for n in range(3):
                store.points.append(self.stream, n + 1.0, str(n), 0)
                self.eventually(lambda: len(self.after_power_cut()) == n + 1, "the flush")  # noqa: B023
            self.eventually(lambda: not flushers(), "the end of the thread")
            store.points.append(self.stream, 9.0, "9", 0)
            self.eventually(lambda: len(self.after_power_cut()) == 4, "the flush after the pause")

    def test_by_hand(self) -> None:
        """`flush` and `close` do it at once."""
        durability: Durability
        for durability in ("batched", "normal"):
            with mock.patch.object(flushing, "PERIOD", SOON):
                store = self.open(durability)
                store.points.append(self.stream, 1.0, "1", 0)
                self.assertEqual(self.after_power_cut(), [])
                store.flush()
            self.assertEqual(self.after_power_cut(), ["1"])
            store.points.append(self.stream, 2.0, "2", 0)
            another = Store(self.path)  # so that SQLite has no reason to flush when it is closed
            another.points.waiting()
            store.close()
            self.assertEqual(self.after_power_cut(), ["1", "2"] if durability == "batched" else ["1"])
            another.close()
            self.disk.unregister()
            self.assertEqual(flushers(), [])

    def test_sync(self) -> None:
        """A sync does, even if no server is there."""
        store = self.open("normal")
        store.close()
        logger = Logger(self.path, durability="normal")
        self.addCleanup(logger.close)
        logger.serverurl = NOWHERE
        logger.insert("a", 1)
        self.assertEqual(self.after_power_cut(), [])
        logger.sync()
        self.assertEqual(self.after_power_cut(), ["1"])

    def test_noted(self) -> None:
        """Whatever the durability, rows are on the disk before they are sent, with their note, and so is all else."""
        durability: Durability
        for durability in ("batched", "normal"):
            store = self.open(durability)
            for n in range(3):
                store.points.append(self.stream, n + 1.0, str(n), 0)
            ids = [row.id for row in waiting(store, self.stream)][:2]
            store.notes.begin(Coming(noted(self.stream, waiting(store, self.stream)), 2, 1000))
            self.assertEqual(self.after_power_cut(), ["0", "1", "2"])
            store.points.append(self.stream, 8.0, "8", 0)
            self.assertEqual(self.after_power_cut(), ["0", "1", "2"])
            store.notes.resolve(self.stream, ids)
            self.assertEqual(self.after_power_cut(), ["2", "8"])
            store.close()
            self.disk.unregister()

    def test_together(self) -> None:
        """One that must last, in a group, makes all of it last."""
        store = self.open("normal")
        has_it, go_on = threading.Event(), threading.Event()
        works = [
            lambda: store._file.write(lambda connection: (has_it.set(), go_on.wait(SOON)), lasting=False),
            lambda: store.points.append(self.stream, 1.0, "1", 0),
            lambda: store.catalogue.save(data=1),
            lambda: store.points.append(self.stream, 2.0, "2", 0),
        ]
        threads = []
        for number, work in enumerate(works):
            threads.append(threading.Thread(target=work))
            threads[-1].start()
            self.wait(has_it)
            self.eventually(lambda: len(store._file._commits._queue) == number, "in the queue")  # noqa: B023
        go_on.set()
        for thread in threads:
            thread.join(SOON)
        self.assertEqual(self.after_power_cut(), ["1", "2"])

    def test_end_of_the_program(self) -> None:
        """A program that just ends flushes; of one that is killed the file has everything, though the disk may not yet."""
        self.disk = LossyDisk(self.folder(), "unused")
        self.disk.unregister()
        for durability, end, on_disk in [("batched", "", 1), ("batched", "kill", 0), ("normal", "kill", 0)]:
            self.durable, folder = self.folder(), self.folder()
            arguments = [str(folder / "a.db"), str(self.durable), durability, end]
            done = subprocess.run([sys.executable, "-c", _PROGRAM, *arguments], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, -signal.SIGKILL if end else 0, done.stderr)
            self.assertEqual(len(self.after_power_cut()), on_disk)
            store = Store(folder / "a.db")
            self.assertEqual(store.points.waiting(), 1)
            store.close()

    def test_gaps(self) -> None:
        """A power cut that leaves gaps in what was not flushed is no damage: the newest points are gone, and that is all."""
        store = self.open("normal")
        for n in range(40):
            store.points.append(self.stream, n + 1.0, str(n), 0)
            if n == 9:
                store.flush()
        copies = self.folder()
        for name, folder in (("seen", self.path.parent), ("durable", self.durable)):
            # by another process: in this one that would take away SQLite's locks
            subprocess.run(["cp", "-r", folder, copies / name], check=True, timeout=SOON)
        self.disk.unregister()
        numbers = set()
        for seed in range(8):
            seen, durable = self.folder() / "seen", self.folder() / "durable"
            shutil.copytree(copies / "seen", seen)
            shutil.copytree(copies / "durable", durable)
            cut_power(seen, durable, random.Random(seed))
            with self.assertNoLogs("connectordb.logger"):
                left = Store(seen / "a.db")
            rows = [row.d for row in waiting(left, self.stream)]
            left.close()
            self.assertEqual(rows, [str(n) for n in range(len(rows))])
            self.assertGreaterEqual(len(rows), 10)
            numbers.add(len(rows))
        self.assertGreater(len(numbers), 1)

    def test_unknown(self) -> None:
        """Another durability is refused, before anything is made."""
        path = self.folder() / "a.db"
        with self.assertRaisesRegex(LocalProtocolError, "expected one of full, batched, normal"):
            Store(path, "none")  # type: ignore[arg-type]
        self.assertFalse(os.path.exists(path))


class FlushingTests(Case):
    """A flush that fails is told, and tried again."""

    def test_broken_disk(self) -> None:
        """It is logged once; the points count as unflushed until it succeeds, and who asks for a flush is told."""
        done, broken = threading.Event(), [StorageError("no")] * 4

        def flush() -> None:
            if broken:
                raise broken.pop()
            done.set()

        with mock.patch.object(flushing, "PERIOD", 5 * MS), self.assertLogs(flushing.log, "ERROR") as logged:
            subject = Flushing(flush)
            subject.note()
            with self.assertRaises(StorageError):
                subject.now()
            self.wait(done)
            subject.close()
        self.assertEqual(len(logged.output), 1)
        subject.close()

    def test_under_way(self) -> None:
        """Who asks for a flush waits for one that is under way already."""
        begun, go_on, returned = threading.Event(), threading.Event(), threading.Event()

        def flush() -> None:
            begun.set()
            go_on.wait(SOON)

        with mock.patch.object(flushing, "PERIOD", MS):
            subject = Flushing(flush)
            subject.note()
            self.wait(begun)
        thread = threading.Thread(target=lambda: (subject.now(), returned.set()))
        thread.start()
        self.assertFalse(returned.wait(20 * MS))
        go_on.set()
        self.wait(returned)
        thread.join(SOON)
        subject.close()

    def test_no_thread(self) -> None:
        """Where no thread can be started, at the end of a program, it is flushed at once."""
        flushed: list[int] = []
        subject = Flushing(lambda: flushed.append(1))
        with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("at the end")):
            subject.note()
        self.assertEqual(flushed, [1])
        subject.close()

    def test_no_log(self) -> None:
        """A file without a log has nothing to flush; a log that cannot be opened is an error."""
        path = self.folder() / "a.db"
        connection = sqlite.connect(path)
        connection.execute("CREATE TABLE a (x)")
        sqlite.flush_log(path)
        connection.close()
        sqlite.flush_log(path)
        Path(f"{path}-wal").mkdir()
        with self.assertRaises(StorageError):
            sqlite.flush_log(path)
