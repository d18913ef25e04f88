"""What a storage says of itself."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

from connectordb.exceptions import StorageError, StorageFull
from connectordb.server import database
from connectordb.server.config import Storage as Settings
from connectordb.server.storage import SQLiteStorage
from connectordb.server.storage.watch import Watch

from ...support.case import SOON, Case
from ...support.clock import SteppedClock
from .trees import user


class StateTests(Case):
    """A real storage."""

    def opened(self, **options: Any) -> SQLiteStorage:
        """Return a storage that is closed with the test."""
        storage = SQLiteStorage(self.folder() / "x.db", **options)
        self.addCleanup(storage.close)
        return storage

    def wrote(self, storage: SQLiteStorage, number: int) -> int:
        """Have the storage do that many writes that wait together; return how many commits they took."""
        reached, release = threading.Event(), threading.Event()
        held = storage.write(lambda writer: (reached.set(), release.wait(SOON)))
        self.wait(reached)
        futures: list[Future[Any]] = [
            storage.write(lambda writer, name=f"u{n}": writer.create_user(user(name))) for n in range(number)
        ]
        self.assertEqual(storage.state().writes_waiting, number)
        before = storage.state().commits
        release.set()
        for future in [held, *futures]:
            future.result(SOON)
        state = storage.state()
        self.assertEqual((state.writes, state.writes_waiting), (number + 1, 0))
        self.assertGreater(state.commit_seconds, 0)
        return state.commits - before

    def test_groups(self) -> None:
        """Writes share a commit as far as the settings let them."""
        self.assertLessEqual(self.wrote(self.opened(group_time=SOON), 10), 2)
        self.assertEqual(self.wrote(self.opened(group_time=SOON, group_size=1), 10), 11)
        self.assertEqual(self.wrote(self.opened(group_time=0.0), 10), 11)

    def test_as_configured(self) -> None:
        """A server's database is opened with its settings."""
        directory = self.folder() / "db"
        database.create(directory, test=True)
        for settings in (Settings(group_inserts=1, group_seconds=SOON), Settings(group_seconds=0.0)):
            with database.open(directory, settings) as opened:
                assert isinstance(opened.storage, SQLiteStorage)
                self.assertEqual(self.wrote(opened.storage, 3), 4)
                opened.storage.write(lambda writer: [writer.delete_user(row.id) for row in writer.users()]).result(SOON)

    def test_reads_wait(self) -> None:
        """Reads are counted while they wait."""
        storage = self.opened(readers=1)
        reached, release = threading.Event(), threading.Event()
        held = storage.read(lambda reader: (reached.set(), release.wait(SOON)))
        self.wait(reached)
        waiting = storage.read(lambda reader: reader.counts())
        self.assertEqual(storage.state().reads_waiting, 1)
        release.set()
        held.result(SOON)
        waiting.result(SOON)

    def test_full_and_broken(self) -> None:
        """A full disk shows until something is written again; a thread that ended shows for good."""
        storage = self.opened()

        def full(writer: Any) -> None:
            writer._connection.execute("ROLLBACK")  # as SQLite does by itself
            raise StorageFull("no room")

        with self.assertRaises(StorageFull):
            storage.write(full).result(SOON)
        self.assertTrue(storage.state().full)
        storage.write(lambda writer: writer.create_user(user("a"))).result(SOON)
        self.assertFalse(storage.state().full)
        self.assertEqual(storage.state().broken, "")
        storage._threads[0]._crashed(KeyError("bug"))
        self.assertIn("start the server again", storage.state().broken)
        with self.assertRaises(StorageError):
            storage.write(lambda writer: None).result(SOON)


class WatchTests(Case):
    """The figures."""

    def test_full_for_a_while(self) -> None:
        """If nobody writes, nobody knows whether the disk is full still."""
        clock = SteppedClock()
        watch = Watch(clock)
        self.assertFalse(watch.full)
        watch.found_full()
        self.assertTrue(watch.full)
        clock.advance(11)
        self.assertFalse(watch.full)
