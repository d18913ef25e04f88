"""Tests of `connectordb.logger.care.soundness`: what is wrong with a file is found at a glance, and nothing where nothing is."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from connectordb.exceptions import StorageDamaged
from connectordb.logger.care import soundness
from connectordb.logger.care.soundness import Check
from connectordb.logger.file import upgrade
from connectordb.logger.rows.store import Store
from connectordb.runtime import sqlite
from tests.damage.shapes import PAGE, made
from tests.support.case import Case


class GlanceTests(Case):
    """Of a file that is too large to be gone through the header, the small tables and both ends of what waits are looked at."""

    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.object(soundness, "_SMALL", 0)
        patch.start()
        self.addCleanup(patch.stop)
        self.shape = made("usual", self.folder())

    def checked(self, path: Path, thorough: bool = False) -> None:
        """Look at a file."""
        upgrade.open_file(path, Check(path, thorough)).close()

    def harmed(self, at: int, data: bytes) -> Path:
        """Return a copy with something written into it."""
        path = self.shape.copy_to(self.folder())
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(data)
        return path

    def test_sound(self) -> None:
        """A file that is as it was written passes, at a glance and thoroughly."""
        path = self.shape.copy_to(self.folder())
        self.checked(path)
        self.checked(path, thorough=True)

    def test_header(self) -> None:
        """Each field of the header by which SQLite would read or write something else."""
        for at, data, why in (
            (0, b"XQLite", "no SQLite file"),
            (16, b"\x20\x00", ""),
            (18, b"\x09", "later version"),
            (19, b"\x09", ""),
            (20, b"\x10", ""),
            (28, (10**6).to_bytes(4, "big"), ""),
            (44, (77).to_bytes(4, "big"), "file format"),
            (52, (3).to_bytes(4, "big"), ""),
            (56, (2).to_bytes(4, "big"), ""),
            (60, bytes(4), "layout 0"),
            (60, b"\xff\0\0\1", "layout -"),
            (68, b"abcd", "marked as 0x61626364"),
        ):
            with self.subTest(at=at), self.assertRaisesRegex(StorageDamaged, why):
                self.checked(self.harmed(at, data))

    def test_ends(self) -> None:
        """The oldest and the newest of what waits are looked at, others only if all is gone through."""
        pages = sorted(self.shape.waiting, key=lambda page: self.shape.waiting[page][0])
        for page in (pages[0], pages[-1]):
            with self.assertRaises(StorageDamaged):
                self.checked(self.harmed((page - 1) * PAGE, bytes(PAGE)))
        path = self.harmed((pages[5] - 1) * PAGE, bytes(PAGE))
        self.checked(path)
        with self.assertRaises(StorageDamaged):
            self.checked(path, thorough=True)

    def test_short(self) -> None:
        """A file that ends too early is noticed by its length, unless the rest is in its log."""
        path = self.shape.copy_to(self.folder())
        path.write_bytes(path.read_bytes()[:-PAGE])
        with self.assertRaises(StorageDamaged):
            self.checked(path)
        logged = made("usual", self.folder(), log=True).copy_to(self.folder())
        self.assertLess(logged.stat().st_size, 10 * PAGE)
        self.checked(logged)

    def test_text(self) -> None:
        """What is no text, or no JSON where it should be, is noticed."""
        store = Store(path := self.folder() / "a.db")
        store.catalogue.put_stream("s", '{"type": "number"}')
        store.close()
        connection = sqlite.connect(path)
        self.addCleanup(connection.close)
        for query in ("UPDATE stream SET schema = 'nonsense'", "REPLACE INTO setting VALUES ('x', '{')"):
            with self.subTest(query):
                connection.execute(query)
                with self.assertRaisesRegex(StorageDamaged, "should be JSON"):
                    Check(path)(connection)
                connection.execute("UPDATE stream SET schema = '{}'")
        connection.execute("DELETE FROM setting")
        connection.execute("INSERT INTO point (id, t, d) VALUES ((1 << 40) + 1, 1.0, CAST(x'22ff22' AS TEXT))")
        connection.close()
        self.checked(path)
        with self.assertRaisesRegex(StorageDamaged, "UTF-8"):
            self.checked(path, thorough=True)

    def test_beside_a_writer(self) -> None:
        """A file that another writes to all the time is sound."""
        path = self.shape.copy_to(self.folder())
        store = Store(path)
        self.addCleanup(store.close)
        for number in range(1200):  # more than fits into the log
            store.points.append(1, 1e9 + number, f'"{number:0200}"', 0)
            if number % 100 == 0:
                self.checked(path, thorough=True)


class MadeMeanwhileTests(Case):
    """A file that another process makes while it is looked at."""

    def test_made_meanwhile(self) -> None:
        """Its tables appear with its version, between two of our looks: that is no damage."""
        path = self.folder() / "a.db"
        path.touch()
        look, was_made = upgrade.layout, []

        def and_then_it_is_made(connection: sqlite.Connection) -> dict[str, list[tuple[object, ...]]]:
            found = look(connection)
            if not was_made:
                was_made.append(True)
                Store(path).close()
            return found

        with mock.patch.object(upgrade, "layout", and_then_it_is_made):
            upgrade.open_file(path, Check(path)).close()
        self.assertTrue(was_made)
        Store(path).close()
