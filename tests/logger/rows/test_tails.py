"""Tests of `connectordb.logger.rows.tails`; its properties are held by the machine in `test_store`."""

from __future__ import annotations

from typing import Any

from connectordb.logger.file.upgrade import open_file
from connectordb.logger.records import Columns
from connectordb.logger.rows.tails import Tails
from connectordb.runtime import sqlite
from tests.support.case import Case


class TailsTests(Case):
    """Rows are added in order, under ids that were never used, whoever else writes to the file."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "a.db"
        self.one, self.two = self.connection(), self.connection()
        self.one.execute("INSERT INTO stream (id, name, schema) VALUES (1, 'a', '{}')")

    def connection(self) -> sqlite.Connection:
        connection = open_file(self.path)
        self.addCleanup(connection.close)
        return connection

    def rows(self) -> list[Any]:
        return [(id & 0xFFFFFF, t) for id, t in self.one.execute("SELECT id, t FROM point ORDER BY id")]

    def test_two_that_remember(self) -> None:
        """What one adds, the other notices before it adds itself."""
        first, second = Tails(), Tails()
        for _ in range(2):
            first.append(self.one, 1, 10.0, "1", 0)
            second.append(self.two, 1, 10.0, "2", 0)
        self.assertEqual([number for number, _ in self.rows()], [1, 2, 3, 4])
        times = [t for _, t in self.rows()]
        self.assertEqual(times, sorted(set(times)))

    def test_rows_taken_off(self) -> None:
        """A number is not used again though the other took the row off, and the time goes on from its time."""
        first, second = Tails(), Tails()
        first.append(self.one, 1, 10.0, "1", 0)
        second.append(self.two, 1, 20.0, "2", 0)
        second.seal(self.two, 1)
        self.two.execute("DELETE FROM point")
        first.append(self.one, 1, 15.0, "3", 0)
        ((number, t),) = self.rows()
        self.assertEqual(number, 3)
        self.assertGreater(t, 20.0)

    def test_forget(self) -> None:
        """After something was undone the file is asked again."""
        tails = Tails()
        try:
            with sqlite.transaction(self.one):
                tails.append(self.one, 1, 10.0, "1", 0)
                raise KeyError
        except KeyError:
            tails.forget()
        tails.append(self.one, 1, 5.0, "2", 0)
        self.assertEqual(self.rows(), [(1, 5.0)])

    def test_clock_set_back(self) -> None:
        """A time is moved above the newest, and what the clock showed is kept, unless that is but a moment away."""
        tails = Tails()
        for t in (100.0, 99.5, 50.0, -7.0, 101.0):
            tails.append(self.one, 1, t, "1", 3)
        rows = list(self.one.execute("SELECT t, stamp FROM point ORDER BY id"))
        times = [t for t, _ in rows]
        self.assertEqual(times, sorted(set(times)))
        self.assertAlmostEqual(times[3], 100.0, delta=0.001)
        self.assertEqual([stamp for _, stamp in rows], [None, None, 50.0, -7.0, None])

    def test_before_1970(self) -> None:
        """A first point of a clock that stands before 1970 has a time above 0."""
        Tails().append(self.one, 1, -1e6, "1", 3)
        ((t, stamp),) = self.one.execute("SELECT t, stamp FROM point")
        self.assertGreater(t, 0)
        self.assertEqual(stamp, -1e6)

    def test_stamps_move_along(self) -> None:
        """A row that goes behind an earlier point keeps its era and what the clock showed."""
        tails = Tails()
        tails.append(self.one, 1, 100.0, "1", 3)
        tails.append(self.one, 1, 50.0, "2", 4)
        tails.append_many(self.one, 1, Columns([99.0], ["0"]), 200.0, restamp=False)
        rows = list(self.one.execute("SELECT d, era, stamp FROM point ORDER BY id"))
        self.assertEqual(rows, [("0", None, None), ("1", 3, None), ("2", 4, 50.0)])

    def test_shifted(self) -> None:
        """Points that were moved by the smallest step are counted: exactly those whose commit went well; saved with the next seal."""
        tails = Tails()
        for _ in range(3):
            tails.append(self.one, 1, 10.0, "1", 0)
        self.assertEqual((tails.shifted(1), self.saved()), (2, 0))
        self.one.execute("BEGIN")
        tails.append(self.one, 1, 10.0, "1", 0)
        self.one.execute("ROLLBACK")
        tails.forget()
        self.assertEqual(tails.shifted(1), 2)
        for end in (tails.forget, tails.committed):
            self.one.execute("BEGIN")
            tails.append(self.one, 1, 10.0, "1", 0)
            tails.seal(self.one, 1)
            self.one.execute("ROLLBACK" if end == tails.forget else "COMMIT")
            end()
        self.assertEqual((tails.shifted(1), self.saved(), tails.counts), (0, 3, False))
        tails.append(self.one, 1, 10.0, "1", 0)
        with sqlite.transaction(self.one):
            tails.save(self.one)
        tails.committed()
        self.assertEqual((tails.shifted(1), self.saved()), (0, 4))

    def saved(self) -> int:
        ((shifted,),) = self.one.execute("SELECT shifted FROM stream")
        return int(shifted)
