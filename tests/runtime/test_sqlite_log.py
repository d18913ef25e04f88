"""SQLite's log, read without SQLite."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

from connectordb.runtime.sqlite_log import Log, goes_on_after

from ..support.case import Case


class Frames(Case):
    """What a log has is read, and what of it is as it was written is told."""

    def logged(self, transactions: int = 5) -> Path:
        """Return a database that has all of it in its log: one page changed by each transaction."""
        path, copy = self.folder() / "some.db", self.folder() / "some.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, a)")
            for number in range(transactions - 1):
                connection.execute("INSERT INTO things VALUES (?, ?)", (number, "x" * number))
            for end in ("", "-wal"):
                shutil.copyfile(f"{path}{end}", f"{copy}{end}")
        return copy

    def harm(self, path: Path, at: int, data: bytes) -> None:
        """Write into the log."""
        with open(f"{path}-wal", "r+b") as file:
            file.seek(at)
            file.write(data)

    def test_sound(self) -> None:
        """All frames are there, as SQLite wrote them; the newest of each page is what counts."""
        path = self.logged()
        with Log(path) as log:
            frames = list(log.frames())
            self.assertEqual([frame.number for frame in frames], [1, 2, 3, 4, 5, 6])  # a table is two pages
            self.assertEqual([frame.ends for frame in frames], [False, True, True, True, True, True])
            self.assertEqual(list(log.sound()), frames)
            self.assertEqual(log.committed(), ({1: frames[0].content, 2: frames[-1].content}, True))

    def test_none(self) -> None:
        """A database without a log has no frames."""
        with Log(self.folder() / "no.db") as log:
            self.assertEqual((list(log.frames()), log.committed(), log.salts), ([], ({}, True), b""))

    def test_harmed(self) -> None:
        """One frame that is not what was written is passed over; that SQLite stops there is told."""
        path = self.logged()
        with Log(path) as log:
            frames = list(log.frames())
        self.harm(path, frames[2].content + 100, b"harm")
        with Log(path) as log:
            self.assertEqual([frame.number for frame in log.sound()], [1, 2, 4, 5, 6])
            self.assertFalse(log.committed()[1])
        self.assertTrue(goes_on_after(2, frames))

    def test_torn(self) -> None:
        """The last transaction torn off is no damage: nobody was told that it was there."""
        path = self.logged()
        with Log(path) as log:
            last = list(log.frames())[-1]
        self.harm(path, last.content + 100, b"torn")
        with Log(path) as log:
            self.assertTrue(log.committed()[1])
            self.assertFalse(goes_on_after(5, log.frames()))

    def test_header(self) -> None:
        """Without its header frames are told by the first of them, and that SQLite takes none."""
        path = self.logged()
        self.harm(path, 0, struct.pack(">8I", *range(8)))
        with Log(path) as log:
            self.assertFalse(log.is_headed)
            self.assertEqual([frame.number for frame in log.sound()], [2, 3, 4, 5, 6])
            self.assertFalse(log.committed()[1])

    def test_earlier_round(self) -> None:
        """Frames that were there before the log was begun anew are none of its."""
        path = self.folder() / "some.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, a)")
            for number in range(20):
                connection.execute("INSERT INTO things VALUES (?, ?)", (number, "x"))
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
            connection.execute("INSERT INTO things VALUES (100, 'x')")
            with Log(path) as log:
                self.assertEqual([frame.number for frame in log.sound()], [1])
                self.assertGreater(Path(f"{path}-wal").stat().st_size, 20 * 4096)
