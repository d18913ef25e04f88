"""Copies of a database file."""

from __future__ import annotations

import stat
import sys
import unittest
from contextlib import closing
from unittest import mock

from connectordb.exceptions import StorageError, StorageFull
from connectordb.runtime import sqlite
from connectordb.runtime.layouts import migrate, version
from connectordb.runtime.sqlite import connect, connect_to_read, transaction
from connectordb.server.storage import Series, SQLiteStorage, copied, copies
from connectordb.server.storage.copies import kept_before_migration
from connectordb.server.storage.layout import LAYOUT, MIGRATIONS

from .test_points import everything
from .trees import StorageCase, plant


class Copying(StorageCase):
    """A copy is whole and of one moment, or it is not there."""

    def setUp(self) -> None:
        super().setUp()
        self.series = self.write(plant)
        self.target = self.folder() / "copy.db"
        self.reading = connect_to_read(self.path)
        self.addCleanup(self.reading.close)

    def insert(self, *values: object) -> None:
        """Append points."""
        points = [{"t": 1.0, "d": value} for value in values]
        self.write(lambda writer: writer.insert(self.series, points, False))

    def test_of_one_moment(self) -> None:
        """What is written while the copy is made is not in it, does not wait for it, and does not make it begin anew."""
        self.insert("x" * 30_000, *range(1000))
        before = self.read(lambda reader: everything(reader, self.series))
        steps: list[tuple[int, int]] = []

        def meanwhile(done: int, all: int) -> None:
            steps.append((done, all))
            if len(steps) < 20:
                self.insert("later")

        with mock.patch.object(sqlite, "_COPIED_PAGES", 4), copied(self.reading, self.target, meanwhile):
            pass
        self.assertEqual([done for done, _ in steps], sorted(done for done, _ in steps))
        self.assertEqual(steps[-1][0], steps[-1][1])
        copy = self.opened(self.target)
        self.assertEqual(self.got(copy.read(lambda reader: everything(reader, self.series))), before)
        self.assertGreater(self.read(lambda reader: reader.length(self.series)), len(before))

    @unittest.skipIf(sys.platform == "win32", "no such permissions there")
    def test_private(self) -> None:
        """It is one file, for its owner only, also before it has its name."""
        with copied(self.reading, self.target) as draft:
            self.assertFalse(self.target.exists())
            self.assertEqual(stat.S_IMODE(draft.stat().st_mode), 0o600)
        self.assertEqual([path.name for path in self.target.parent.iterdir()], ["copy.db"])
        self.assertEqual(stat.S_IMODE(self.target.stat().st_mode), 0o600)

    def test_refused(self) -> None:
        """If whoever looks at it refuses it, nothing is left of it."""
        with self.assertRaisesRegex(ValueError, "on purpose"), copied(self.reading, self.target):
            raise ValueError("on purpose")
        self.assertEqual(list(self.target.parent.iterdir()), [])

    def test_there_already(self) -> None:
        """What is there is left alone; where nothing can be made, the error says so."""
        self.target.write_text("kept")
        with self.assertRaisesRegex(StorageError, "copy.db.*there already"), copied(self.reading, self.target):
            pass
        self.assertEqual(self.target.read_text(), "kept")
        with self.assertRaisesRegex(StorageError, "give a path where"), copied(self.reading, self.target / "x" / "y"):
            pass


class Migrating(StorageCase):
    """A file of an older layout is brought to the newest; as it was, it is kept beside."""

    def setUp(self) -> None:
        super().setUp()
        self.old = self.folder() / "connectordb.db"
        with closing(connect(self.old)) as connection:
            migrate(connection, self.old, MIGRATIONS[:1])
            with transaction(connection):
                connection.execute("INSERT INTO users VALUES (1, 'mara', '', 'm@x', '', '', 'user', 1, 'hash')")
                connection.execute("INSERT INTO devices VALUES (1, 1, 'lamp', '', '', '', '', 1, 0, '', 1, 0, NULL)")
                connection.execute("INSERT INTO streams VALUES (1, 1, 'light', '', '', '', '{}', '', 0, 0)")
        self.name = "connectordb.layout-1.db"

    def names(self) -> set[str]:
        """Return what there is beside the file, but for what SQLite keeps while it is open."""
        return {path.name for path in self.old.parent.iterdir() if not path.name.endswith(("-wal", "-shm"))}

    def test_first(self) -> None:
        """A file of the first layout goes on with all that is in it; its copy is what it was."""
        with closing(SQLiteStorage(self.old)) as storage:
            self.got(storage.write(lambda writer: writer.insert(Series(1), [{"t": 1, "d": 2}], False)))
            self.assertEqual([user.name for user in self.got(storage.read(lambda reader: reader.users()))], ["mara"])
        with closing(connect_to_read(self.old)) as connection:
            self.assertEqual(version(connection), LAYOUT)
        self.assertEqual(self.names(), {"connectordb.db", self.name})
        kept = self.old.with_name(self.name)
        self.assertEqual(stat.S_IMODE(kept.stat().st_mode) & 0o077, 0)
        with closing(connect_to_read(kept)) as connection:
            self.assertEqual(version(connection), 1)
            self.assertEqual(connection.execute("SELECT name FROM users").fetchall(), [("mara",)])
        with closing(SQLiteStorage(self.old)):
            self.assertEqual(self.names(), {"connectordb.db", self.name}, "only where something changes")

    def test_again(self) -> None:
        """A copy that is there is never replaced: the next one has a number."""
        with closing(connect_to_read(self.old)) as connection:
            names = [kept_before_migration(connection, self.old, 1).name for _ in range(3)]
        self.assertEqual(names, [self.name, "connectordb.layout-1-2.db", "connectordb.layout-1-3.db"])

    def test_no_space(self) -> None:
        """Without space for the copy the file stays as it is, and the error says why."""
        with mock.patch.object(copies, "copy", side_effect=StorageFull("no space")):
            with self.assertRaisesRegex(StorageFull, "no space"):
                SQLiteStorage(self.old)
        with closing(connect_to_read(self.old)) as connection:
            self.assertEqual(version(connection), 1)
        self.assertEqual(self.names(), {"connectordb.db"})

    def test_damaged(self) -> None:
        """A damaged file is not changed: it is refused, with what to do."""
        size = self.old.stat().st_size
        with open(self.old, "r+b") as file:
            for page in range(3, size // 4096):
                file.seek(page * 4096)
                file.write(b"\xee" * 300)
        before = self.old.read_bytes()
        with self.assertRaisesRegex(StorageError, "damaged"):
            SQLiteStorage(self.old)
        self.assertEqual(self.old.read_bytes(), before)
        self.assertEqual(self.names(), {"connectordb.db"})

    def test_new(self) -> None:
        """A file that is new has nothing to be kept."""
        self.assertEqual({path.suffix for path in self.path.parent.iterdir()} - {".db-wal", ".db-shm"}, {".db"})
