"""Tests of `connectordb.logger.care.salvage`: tables that are whole are copied, rows of others found by what they look like."""

from __future__ import annotations

import random
from pathlib import Path

from connectordb.logger.care.salvage import is_a_loggers, salvage
from connectordb.logger.rows.store import Store
from tests.damage.harm import page_harmed
from tests.damage.shapes import PAGE, contents, made
from tests.support.case import Case


class SalvageTests(Case):
    """What can be read is brought over."""

    def salvaged(self, path: Path) -> Path:
        """Return the new file."""
        new = path.with_name("new.db")
        self.result = salvage(path, new, 5.0, {"at": 5.0})
        return new

    def test_whole(self) -> None:
        """Of a file that has nothing wrong everything comes over as it is, notes included."""
        shape = made("usual", self.folder())
        new = self.salvaged(shape.copy_to(self.folder()))
        self.assertEqual(contents(new)[:2], contents(shape.path)[:2])
        self.assertEqual(self.result.lost, 0)
        store = Store(new)
        self.addCleanup(store.close)
        note = store.notes.of(1)
        assert note is not None
        self.assertEqual((note.length, note.path, note.last - note.first), (1000, "u/d/temperature", 99))

    def test_damage_elsewhere(self) -> None:
        """If what was set aside is damaged, it is still known what may have been sent."""
        shape = made("usual", self.folder())
        harmed = page_harmed(shape, self.folder(), "zeroed", next(iter(shape.aside)), random.Random(1))
        new = self.salvaged(harmed.path)
        self.assertEqual((self.result.in_doubt, self.result.lost, self.result.aside), (False, 2, 0))
        store = Store(new)
        self.addCleanup(store.close)
        note = store.notes.of(1)
        assert note is not None
        self.assertEqual(note.length, 1000)

    def test_in_doubt(self) -> None:
        """If points are damaged, all that waits counts as a batch of unknown outcome."""
        shape = made("usual", self.folder())
        page = sorted(shape.waiting)[4]
        harmed = page_harmed(shape, self.folder(), "zeroed", page, random.Random(1))
        store = Store(self.salvaged(harmed.path))
        self.addCleanup(store.close)
        self.assertEqual((self.result.in_doubt, self.result.lost), (True, len(shape.waiting[page])))
        for stream in (1, 2):
            note = store.notes.of(stream)
            assert note is not None
            rows = store.points.rows(stream << 40, (stream + 1) << 40, 10**6, 10**9)
            self.assertEqual((note.length, note.first, note.last), (None, rows[0].id, rows[-1].id))

    def test_no_json(self) -> None:
        """A row of which the value is harmed is set aside, with the reason."""
        shape = made("small", self.folder())
        path = shape.copy_to(self.folder())
        data = path.read_bytes().replace(b"7.5", b"7x5").replace(b"8.5", b"8\xff5")
        path.write_bytes(data[:PAGE] + bytes(PAGE) + data[2 * PAGE :])
        store = Store(self.salvaged(path))
        self.addCleanup(store.close)
        self.assertEqual([point.d for point in store.aside.points()], ["7x5", "8\ufffd5"])
        self.assertIn("damaged", store.aside.points()[0].reason)
        self.assertEqual(store.points.waiting(), 18)


class OwnershipTests(Case):
    """A Logger's file is known by what is left of it."""

    def test_ours(self) -> None:
        """Any page with a row of ours will do, or the mark in the header."""
        shape = made("usual", self.folder())
        path, data = self.folder() / "some.db", shape.path.read_bytes()
        page = (sorted(shape.waiting)[7] - 1) * PAGE
        for content in (data, data[:100], bytes(PAGE) + data[PAGE:], bytes(3 * PAGE) + data[page : page + PAGE]):
            path.write_bytes(content)
            self.assertTrue(is_a_loggers(path))

    def test_not_ours(self) -> None:
        """Text is not, nor is another program's database."""
        path = self.folder() / "some.db"
        for content in (b"hello", b"x" * 10_000, bytes(100) + b"x" * 9000):
            path.write_bytes(content)
            self.assertFalse(is_a_loggers(path))
