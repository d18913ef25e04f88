"""Backups, and what is made of them."""

from __future__ import annotations

import sqlite3
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

from connectordb.exceptions import DatabaseInUse, StorageError
from connectordb.server import backup, check, database, restore
from connectordb.server.storage import Series

from ..storage.trees import plant
from ..test_database import FolderCase


class Backups(FolderCase):
    """What was backed up comes back as it was; a backup is whole and sound, or there is none."""

    def setUp(self) -> None:
        super().setUp()
        self.made()
        self.file = self.path.parent / "backup"
        with self.opened() as opened:
            self.series: Series = opened.storage.write(plant).result(10)
            self.insert(opened.storage, 0, 5000)

    def insert(self, storage: Any, first: int, number: int) -> None:
        """Append points that count on."""
        points = [{"t": float(i + 1), "d": i} for i in range(first, first + number)]
        storage.write(lambda writer: writer.insert(self.series, points, False)).result(10)

    def points(self) -> int:
        """Return how many points there are, having found nothing wrong."""
        found: list[str] = []
        checked = check(self.path, lambda finding: found.append(str(finding)))
        self.assertEqual(found, [])
        return checked.points

    def test_and_back(self) -> None:
        """A backup that was made while a server writes is restored, with the old folder put aside."""
        seen: list[str] = []
        with self.opened() as opened:
            done = threading.Event()
            at = [5000]

            def write() -> None:
                while not done.is_set():
                    self.insert(opened.storage, at[0], 10)
                    at[0] += 10

            writing = threading.Thread(target=write)
            writing.start()
            try:
                self.eventually(lambda: at[0] > 5100)
                backup(self.path, self.file, lambda what, done, all: seen.append(what))
                after = at[0]
            finally:
                done.set()
                writing.join(10)
        self.assertIn("copying", seen)
        self.assertGreater(self.points(), 5000)
        with self.assertRaisesRegex(StorageError, "there already.*--force"):
            restore(self.path, self.file)
        old = restore(self.path, self.file, keep_old=True)
        assert old is not None
        self.assertRegex(old.name, r"^db\.before-restore-\d{8}-\d{6}$")
        self.assertTrue((old / "connectordb.db").exists())
        self.assertTrue(5100 <= self.points() <= after, (self.points(), after))
        with self.opened() as opened:
            self.insert(opened.storage, self.points(), 1)

    def test_private(self) -> None:
        """Backup and folder are for their owner only, and of one file."""
        backup(self.path, self.file)
        restored = self.path.parent / "restored"
        restored.mkdir()
        self.assertIsNone(restore(restored, self.file), "an empty folder is as good as none")
        self.assertEqual([file.name for file in restored.iterdir()], ["connectordb.db"])
        if sys.platform != "win32":
            modes = [stat.S_IMODE(path.stat().st_mode) for path in (self.file, restored, restored / "connectordb.db")]
            self.assertEqual(modes, [0o600, 0o700, 0o600])
        self.path = restored
        self.assertEqual(self.points(), 5000)

    def test_not_put_in_place(self) -> None:
        """If what was restored cannot get its name, the old database has its own again."""
        backup(self.path, self.file)
        before = sorted(path.name for path in self.path.parent.iterdir())
        with mock.patch.object(database, "flush", side_effect=OSError(5, "broken")), self.assertRaises(StorageError):
            restore(self.path, self.file, keep_old=True)
        real = Path.rename

        def rename(path: Path, target: Path) -> Path:
            if path.name.startswith("."):
                raise OSError(5, "broken")
            return real(path, target)

        with mock.patch.object(Path, "rename", rename), self.assertRaisesRegex(StorageError, "broken"):
            restore(self.path, self.file, keep_old=True)
        self.assertEqual(sorted(path.name for path in self.path.parent.iterdir()), before)
        self.assertEqual(self.points(), 5000)

    def test_somebody_was_faster(self) -> None:
        """What came to be while it was copied stays: a backup, a folder that was not there, one that was empty."""
        first = self.path.parent / "first"
        backup(self.path, first)

        def meanwhile(what: str, done: int, all: int) -> None:
            self.file.write_text("another's")

        with self.assertRaisesRegex(StorageError, "there already"):
            backup(self.path, self.file, meanwhile)
        self.assertEqual(self.file.read_text(), "another's")
        for made_before in (False, True):
            new = self.path.parent / f"new-{made_before}"
            if made_before:
                new.mkdir()

            def fill(what: str, done: int, all: int, new: Path = new) -> None:
                new.mkdir(exist_ok=True)
                (new / "connectordb.db").write_text("another's")

            with self.assertRaisesRegex(StorageError, f"{new.name}.*not empty|exists"):
                restore(new, first, progress=fill)
            self.assertEqual((new / "connectordb.db").read_text(), "another's")
        self.assertEqual(sorted(path.name for path in self.path.parent.iterdir() if path.name.startswith(".")), [])

    def test_damaged(self) -> None:
        """Of a damaged database no backup is written; a damaged backup is not restored."""
        backup(self.path, self.file)
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("UPDATE chunks SET data = x'00' WHERE id = (SELECT min(id) FROM chunks)")
            connection.commit()
        with self.assertRaisesRegex(StorageError, "damaged: mara/lamp/light: the points at indices 0 to"):
            restore(self.path.parent / "new", self.file)
        with self.assertRaisesRegex(StorageError, "damaged"):
            restore(self.path, self.file, keep_old=True)
        self.assertEqual(self.points(), 5000, "what was there is untouched")
        with closing(sqlite3.connect(self.path / "connectordb.db")) as connection:
            connection.execute("UPDATE chunks SET data = x'00' WHERE id = (SELECT min(id) FROM chunks)")
            connection.commit()
        with self.assertRaisesRegex(StorageError, "no backup was written.*indices 0 to .*check"):
            backup(self.path, self.path.parent / "second")
        self.assertEqual({path.name for path in self.path.parent.iterdir()}, {"db", "backup"})

    def test_refused(self) -> None:
        """What would lose something, or is no backup, is refused."""
        backup(self.path, self.file)
        with self.assertRaisesRegex(StorageError, "there already"):
            backup(self.path, self.file)
        with self.opened(), self.assertRaisesRegex(DatabaseInUse, "process id"):
            restore(self.path, self.file, keep_old=True)
        with self.assertRaisesRegex(StorageError, "no such file"):
            restore(self.path.parent / "new", self.path / "absent")
        (self.path.parent / "text").write_text("x" * 5000)
        with self.assertRaisesRegex(StorageError, "text': this is no SQLite file"):
            restore(self.path.parent / "new", self.path.parent / "text")
        (self.path.parent / "text").write_text("")
        with self.assertRaisesRegex(StorageError, "text': its layout is 0"):
            restore(self.path.parent / "new", self.path.parent / "text")
        other = self.path.parent / "other"
        other.mkdir()
        (other / "thing").write_text("kept")
        with self.assertRaisesRegex(StorageError, "no database folder"):
            restore(other, self.file, keep_old=True)
        self.assertEqual([path.name for path in other.iterdir()], ["thing"])
        self.assertEqual(self.points(), 5000)
        self.assertEqual({path.name for path in self.path.parent.iterdir()}, {"db", "backup", "text", "other"})
