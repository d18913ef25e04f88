"""The storage in a SQLite file: its threads, its transactions, and what survives."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from unittest import mock

import apsw

from connectordb.exceptions import ClosedError, StorageError, StorageFull
from connectordb.runtime.layouts import version
from connectordb.runtime.sqlite import connect
from connectordb.runtime.worker import Worker
from connectordb.server.storage import Older, Reader, Series, SQLiteStorage, Writer
from connectordb.server.storage import sqlite as module
from connectordb.server.storage.layout import MIGRATIONS

from ...support.case import SOON
from .test_points import everything
from .trees import StorageCase, plant, user


def lone(t: float = 1, d: Any = None) -> list[dict[str, Any]]:
    """Return one point."""
    return [{"t": t, "d": d}]


class Held:
    """Keeps the writer busy until it is let go, so that work gathers behind it."""

    def __init__(self, storage: SQLiteStorage) -> None:
        self.reached, self.release = threading.Event(), threading.Event()
        self.future = storage.write(self._wait)

    def _wait(self, writer: Writer) -> None:
        self.reached.set()
        if not self.release.wait(SOON):
            raise AssertionError("never let go")


class Writing(StorageCase):
    """A write happens whole or not at all, and is done when it is on the disk."""

    def held(self) -> Held:
        """Keep the writer busy until the test lets it go, at the end at the latest."""
        held = Held(self.storage)
        self.addCleanup(held.release.set)
        self.wait(held.reached)
        return held

    def names(self) -> list[str]:
        """Return the names of the users there are."""
        return [row.name for row in self.read(lambda reader: reader.users())]

    def test_error(self) -> None:
        """A write that raises leaves nothing, and the next one is no worse for it."""

        def fail(writer: Writer) -> None:
            writer.create_user(user("half"))
            raise KeyError("on purpose")

        with self.assertRaisesRegex(KeyError, "on purpose"):
            self.write(fail)
        self.write(lambda writer: writer.create_user(user("whole")))
        self.assertEqual(self.names(), ["whole"])

    def test_group(self) -> None:
        """Writes that wait share a commit; one that raises takes back its own part only."""
        commits: list[int] = []
        self.write(lambda writer: writer._connection.set_commit_hook(lambda: commits.append(1) or False))  # type: ignore[attr-defined,func-returns-value]
        commits.clear()
        held = self.held()

        def fail(writer: Writer) -> None:
            writer.create_user(user("b"))
            raise KeyError("b")

        with mock.patch.object(self.storage._threads[0], "_seconds", 60):
            futures: list[Future[Any]] = [
                self.storage.write(lambda writer: writer.create_user(user("a"))),
                self.storage.write(fail),
                self.storage.write(lambda writer: writer.create_user(user("c"))),
                self.storage.write(lambda writer: [row.name for row in writer.users()]),
            ]
            self.assertFalse(any(future.done() for future in futures))
            # the group of the one who holds the writer has begun with the old limit of time
            held.release.set()
            self.got(held.future)
            self.assertEqual(self.got(futures[3]), ["a", "c"], "a write sees those before it")
        self.got(futures[0])
        with self.assertRaises(KeyError):
            self.got(futures[1])
        self.assertEqual(self.names(), ["a", "c"])
        self.assertLessEqual(len(commits), 2)

    def test_commit_fails(self) -> None:
        """If the commit fails, everyone in the group hears of it, and nothing of it is there."""
        held = self.held()
        refuse = [True]
        futures: list[Future[Any]] = [
            self.storage.write(
                lambda writer: writer._connection.set_commit_hook(lambda: refuse.pop() if refuse else False)
            ),  # type: ignore[attr-defined]
            self.storage.write(lambda writer: writer.create_user(user("a"))),
            self.storage.write(lambda writer: 1 / 0),
        ]
        held.release.set()
        with self.assertRaises(ZeroDivisionError):
            self.got(futures[2])
        outcomes = [future.exception(SOON) for future in (held.future, *futures[:2])]
        self.assertTrue(any(isinstance(error, StorageError) for error in outcomes), outcomes)
        self.assertEqual(self.names(), [] if outcomes[2] else ["a"])
        self.write(lambda writer: writer.create_user(user("b")))
        self.assertIn("b", self.names())

    def test_transaction_lost(self) -> None:
        """If an error ends the whole transaction, as a full disk may, those before it in the group hear of it as well."""
        held = self.held()

        def lose(writer: Writer) -> None:
            writer._connection.execute("ROLLBACK")  # type: ignore[attr-defined]
            raise apsw.FullError("on purpose")

        futures: list[Future[Any]] = [
            self.storage.write(lambda writer: writer.create_user(user("a"))),
            self.storage.write(lose),
            self.storage.write(lambda writer: writer.create_user(user("c"))),
        ]
        held.release.set()
        errors = [future.exception(SOON) for future in futures]
        self.assertIsInstance(errors[1], StorageFull)
        self.assertIsNone(errors[2])
        self.assertEqual(self.names(), ["c"] if errors[0] else ["a", "c"])

    def test_full_disk(self) -> None:
        """A full disk fails what does not fit, keeps what was there, and is over when there is space."""
        series = self.write(plant)
        self.write(lambda writer: writer.insert(series, lone(1, "kept"), False))
        self.write(lambda writer: writer._connection.execute("PRAGMA max_page_count = 40").fetchall())  # type: ignore[attr-defined]
        large = "x" * 500_000
        futures = [self.storage.write(lambda writer, t=t: writer.insert(series, lone(t, large), False)) for t in (2, 3)]
        for future in futures:
            with self.assertRaisesRegex(StorageFull, "disk is full"):
                self.got(future)
        self.assertEqual(self.read(lambda reader: everything(reader, series)), lone(1, "kept"))
        self.write(lambda writer: writer._connection.execute("PRAGMA max_page_count = 100000").fetchall())  # type: ignore[attr-defined]
        self.write(lambda writer: writer.insert(series, lone(2, large), False))
        self.assertEqual(self.read(lambda reader: reader.length(series)), 2)

    def test_cancelled(self) -> None:
        """A write that was cancelled while it waited is not done."""
        held = self.held()
        future = self.storage.write(lambda writer: writer.create_user(user("a")))
        self.assertTrue(future.cancel())
        held.release.set()
        self.got(held.future)
        self.assertEqual(self.names(), [])

    def test_flushes(self) -> None:
        """A lone insert costs one flush of the disk, and a group one together."""
        flushes: list[str] = []

        class File(apsw.VFSFile):
            def __init__(self, vfs: str, name: Any, flags: list[int]) -> None:
                super().__init__(vfs, name, flags)
                self.path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)

            def xSync(self, flags: int) -> None:
                flushes.append(os.path.basename(self.path))
                super().xSync(flags)

        class Disk(apsw.VFS):
            def __init__(self) -> None:
                self.base = apsw.vfs_names()[0]
                super().__init__("counting", self.base, makedefault=True)

            def xOpen(self, name: Any, flags: list[int]) -> File:
                return File(self.base, name, flags)

        disk = Disk()
        self.addCleanup(disk.unregister)
        storage = SQLiteStorage(self.folder() / "counted.db", readers=1)
        self.addCleanup(storage.close)
        series = self.got(storage.write(plant))
        self.got(storage.write(lambda writer: writer.insert(series, lone(1), False)))
        for t in range(2, 12):
            flushes.clear()
            self.got(storage.write(lambda writer, t=t: writer.insert(series, lone(t), False)))
            self.assertEqual(flushes, ["counted.db-wal"])
        held = Held(storage)
        self.wait(held.reached)
        flushes.clear()
        futures = [storage.write(lambda writer, t=t: writer.insert(series, lone(t), False)) for t in range(100, 150)]
        held.release.set()
        for future in futures:
            self.got(future)
        self.assertLessEqual(len(flushes), 10)


class Reading(StorageCase):
    """Reads see one state of everything, and change nothing."""

    def test_consistent(self) -> None:
        """A read sees what was there when it began, however long it takes; the next one sees the rest."""
        series = self.write(plant)
        begun, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def slow(reader: Reader) -> tuple[int, int]:
            before = reader.length(series)
            begun.set()
            go_on.wait(SOON)
            return before, reader.length(series)

        future = self.storage.read(slow)
        self.wait(begun)
        self.write(lambda writer: writer.insert(series, lone(), False))
        self.assertEqual(self.read(lambda reader: reader.length(series)), 1, "another reader sees it")
        go_on.set()
        self.assertEqual(self.got(future), (0, 0))

    def test_no_writing(self) -> None:
        """A reader cannot change anything, even by mistake."""
        with self.assertRaisesRegex(StorageError, "reading.*points.db"):
            self.read(lambda reader: reader._connection.execute("DELETE FROM users"))  # type: ignore[attr-defined]

    def test_error(self) -> None:
        """What a read raises comes out, and the next read is no worse for it."""
        with self.assertRaises(ZeroDivisionError):
            self.read(lambda reader: 1 / 0)
        self.assertEqual(self.read(lambda reader: reader.users()), [])

    def test_damaged(self) -> None:
        """A damaged chunk is an error that says where; it spoils neither other points nor later reads."""
        series = self.write(plant)
        points = [{"t": index + 1, "d": index} for index in range(3000)]
        self.write(lambda writer: writer.insert(series, points, False))
        self.write(
            lambda writer: writer._connection.execute(  # type: ignore[attr-defined]
                "UPDATE chunks SET data = zeroblob(50) WHERE id = (SELECT id FROM chunks LIMIT 1 OFFSET 1)"
            ).fetchall()
        )
        only = self.opened(readers=1)
        failed = only.read(lambda reader: reader.text(series, 1500, 2900, 1000))
        # held with its traceback, and so with whatever it was reading
        error = failed.exception(SOON)
        self.assertIsInstance(error, StorageError)
        self.assertRegex(str(error), f"stream {series.stream_id}: the points from index 1000 on are damaged")
        with self.assertRaisesRegex(StorageError, "damaged"):
            self.read(lambda reader: reader.index_after(series, 1500.5))
        text, _after = self.read(lambda reader: reader.text(series, 2000, 2002, 1000))
        self.assertEqual(text, b'{"t":2001,"d":2000},{"t":2002,"d":2001}')
        self.write(lambda writer: writer.insert(series, lone(9999), True))
        self.assertEqual(self.got(only.read(lambda reader: reader.newest(series))), 9999, "what it saw is over")


class Together(StorageCase):
    """Many threads at one stream."""

    def test_writers_and_readers(self) -> None:
        """With 16 threads writing and reading one stream there are no holes, and length and points agree at any moment."""
        series = self.write(plant)
        errors: list[BaseException] = []
        firsts: list[tuple[int, int]] = []
        done = threading.Event()

        def write(name: int) -> None:
            for number in range(25):
                size = 1 + (name * 7 + number * 13) % 40
                points = [{"t": 1 + number, "d": [name, number, index]} for index in range(size)]
                inserted = self.got(self.storage.write(lambda writer, p=points: writer.insert(series, p, True)))
                firsts.append((inserted.first, size))

        def read() -> None:
            seen = 0

            def look(reader: Reader) -> tuple[int, float | None, list[dict[str, Any]]]:
                length = reader.length(series)
                text, after = reader.text(series, max(0, length - 700), length + 50, 1 << 30)
                assert after == length
                return length, reader.newest(series), json.loads(b"[%b]" % text)

            while not done.is_set():
                length, newest, points = self.got(self.storage.read(look))
                times = [point["t"] for point in points]
                assert length >= seen, "a stream does not shrink"
                assert len(points) == min(length, 700)
                assert times == sorted(times)
                assert not points or times[-1] == newest
                seen = length

        def run(work: Any, *given: Any) -> None:
            try:
                work(*given)
            except BaseException as error:
                errors.append(error)

        writers = [threading.Thread(target=run, args=(write, name)) for name in range(8)]
        readers = [threading.Thread(target=run, args=(read,)) for _ in range(8)]
        for thread in (*readers, *writers):
            thread.start()
        for thread in writers:
            thread.join(6 * SOON)
        done.set()
        for thread in readers:
            thread.join(SOON)
        self.assertEqual(errors, [])
        at = 0
        for first, size in sorted(firsts):
            self.assertEqual(first, at)
            at += size
        points = self.read(lambda reader: everything(reader, series))
        self.assertEqual(len(points), at)
        for name in range(8):
            own = [point["d"][1:] for point in points if point["d"][0] == name]
            self.assertEqual(own, sorted(own), "the points of one writer keep their order")


class Living(StorageCase):
    """A storage opens, closes, and says why it does not."""

    def test_close(self) -> None:
        """Closing finishes what was handed in, may be repeated, and ends the threads; then work is refused."""
        futures = [self.storage.write(lambda writer, n=n: writer.create_user(user(f"u{n}"))) for n in range(300)]
        reading = self.storage.read(lambda reader: reader.users())
        self.storage.close()
        self.storage.close()
        self.assertTrue(all(future.done() for future in (*futures, reading)))
        for work in (self.storage.read, self.storage.write):
            with self.assertRaises(ClosedError):
                work(lambda given: None)
        self.assertFalse([t.name for t in threading.enumerate() if t.name.startswith("connectordb-")])
        self.storage = self.opened()
        self.assertEqual(self.read(lambda reader: reader.counts())["users"], 300)

    def test_names(self) -> None:
        """The threads have names that say what they are."""
        names = {t.name for t in threading.enumerate() if t.name.startswith("connectordb-")}
        self.assertEqual(names, {f"connectordb-storage-{name}" for name in ("writer", "reader-1", "reader-2")})

    def test_close_in_time(self) -> None:
        """Work that does not end is not waited for for ever, and closing says so."""
        held = Held(self.storage)
        self.wait(held.reached)
        with mock.patch.object(module, "CLOSE_TIMEOUT", 0.02), self.assertLogs("connectordb.runtime.worker"):
            with self.assertRaisesRegex(StorageError, "still running"):
                self.storage.close()
        held.release.set()
        self.got(held.future)
        self.storage.close()

    def test_thread_breaks(self) -> None:
        """If a thread ends by a bug of ours, nobody waits for it."""
        held = Held(self.storage)
        self.wait(held.reached)
        with self.assertLogs("connectordb.runtime.worker", "ERROR"):
            with mock.patch.object(module.Jobs, "take", side_effect=MemoryError("no more")):
                waiting = self.storage.write(lambda writer: None)
                held.release.set()
                with self.assertRaisesRegex(StorageError, "ended by a bug"):
                    self.got(waiting)
                self.eventually(lambda: len(self._threads()) < 3)
        with self.assertRaisesRegex(StorageError, "ended by a bug"):
            self.write(lambda writer: None)

    def _threads(self) -> list[str]:
        return [t.name for t in threading.enumerate() if t.name.startswith("connectordb-")]

    def test_thread_cannot_start(self) -> None:
        """If a thread cannot be started, opening fails, and leaves nothing behind."""
        path = self.folder() / "new.db"
        before = len(self._threads())
        start, count = Worker.start, [2]

        def scarce(worker: Worker) -> bool:
            count[0] -= 1
            if count[0] < 0:
                raise RuntimeError("can't start new thread")
            return start(worker)

        with mock.patch.object(module.Worker, "start", scarce), self.assertRaises(RuntimeError):
            SQLiteStorage(path)
        self.eventually(lambda: len(self._threads()) == before)
        self.eventually(lambda: not Path(f"{path}-wal").exists(), "the last connection is closed")

    def test_no_readers(self) -> None:
        """A storage that nobody could read is refused."""
        with self.assertRaisesRegex(ValueError, "reads would wait"):
            SQLiteStorage(self.folder() / "new.db", readers=0)

    def test_private(self) -> None:
        """Nobody else may read the files."""
        self.write(plant)
        files = list(self.path.parent.iterdir())
        self.assertEqual({stat.S_IMODE(file.stat().st_mode) for file in files}, {0o600})
        self.assertEqual(len(files), 3)

    def test_newer(self) -> None:
        """A file of a newer version is refused, and left as it is."""
        self.storage.close()
        connection = connect(self.path)
        connection.pragma("user_version", len(MIGRATIONS) + 1)
        connection.close()
        with self.assertRaisesRegex(StorageError, "newer version"):
            SQLiteStorage(self.path)
        connection = connect(self.path)
        self.assertEqual(version(connection), len(MIGRATIONS) + 1)
        connection.close()

    def test_not_a_database(self) -> None:
        """What is no database is refused with its path."""
        path = self.folder() / "text.db"
        path.write_text("no database" * 100)
        for wrong in (path, path.parent, path.parent / "nowhere" / "x.db"):
            with self.subTest(path=wrong), self.assertRaisesRegex(StorageError, str(wrong)):
                SQLiteStorage(wrong)


_INSERTING = """
import sys
sys.path.insert(0, sys.argv[2])
from tests.server.storage.trees import plant
from connectordb.server.storage import SQLiteStorage

storage = SQLiteStorage(sys.argv[1])
series = storage.write(plant).result()
print(series.stream_id, flush=True)
waiting = []
for number in range(1, 1_000_000):
    batch = [{"t": number, "d": [number, index]} for index in range(1 + number % 90)]
    waiting.append((number, storage.write(lambda writer, batch=batch: writer.insert(series, batch, False))))
    if len(waiting) == 8:
        number, future = waiting.pop(0)
        future.result()
        print(number, flush=True)
"""


class Killed(StorageCase):
    """What was acknowledged survives the process."""

    def test_kill(self) -> None:
        """After ``kill -9`` all points that were acknowledged are there once, in order, and no half insert."""
        for round in range(3):
            with self.subTest(round=round):
                path = self.folder() / "killed.db"
                root = str(Path(__file__).parents[3])
                with subprocess.Popen(
                    [sys.executable, "-c", _INSERTING, str(path), root], stdout=subprocess.PIPE, text=True
                ) as process:
                    assert process.stdout is not None
                    stream_id = int(process.stdout.readline())
                    acknowledged = 0
                    for line in process.stdout:
                        if line.endswith("\n"):
                            acknowledged = int(line)
                        if acknowledged == 40 + 77 * round:
                            process.send_signal(signal.SIGKILL)
                storage = self.opened(path)
                points = self.got(storage.read(lambda reader, id=stream_id: everything(reader, Series(id))))
                stored = points[-1]["t"]
                self.assertGreaterEqual(stored, acknowledged)
                self.assertEqual(
                    [point["d"] for point in points],
                    [[n, index] for n in range(1, stored + 1) for index in range(1 + n % 90)],
                )
                with self.assertRaises(Older):
                    self.got(storage.write(lambda writer, id=stream_id: writer.insert(Series(id), lone(0.5), False)))
                storage.close()
