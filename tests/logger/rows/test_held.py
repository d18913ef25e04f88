"""Tests of `connectordb.logger.rows.held`."""

from __future__ import annotations

from connectordb.logger.records import Ledger
from connectordb.logger.rows.store import Store
from tests.support.case import Case
from tests.support.logger_cases import add, noted, waiting


class HeldTests(Case):
    """What a server confirmed stays for a while, and counts as confirmed."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.stream = add(self.store, "a")
        for n in range(6):
            self.store.points.append(self.stream, 10.0 + n, str(n), 0)
        self.rows = waiting(self.store, self.stream)
        for first, last in ((0, 2), (2, 4)):
            self.store.notes.write(noted(self.stream, self.rows[first:last]))
            self.store.held.hold(noted(self.stream, self.rows[first:last]), self.rows[last - 1].id)

    def ledger(self) -> Ledger:
        (ledger,) = self.store.points.ledgers()
        self.assertEqual(ledger.accepted, ledger.waiting + ledger.confirmed + ledger.aside + ledger.dropped)
        return ledger

    def values(self) -> list[str]:
        """Return all that is in the file, held or waiting."""
        return [row.d for row in waiting(self.store, self.stream)]

    def test_hold(self) -> None:
        """Held rows are confirmed, and in the file; the note is gone."""
        self.assertEqual((self.ledger().confirmed, self.ledger().waiting, self.store.points.waiting()), (4, 2, 2))
        self.assertEqual((self.values(), self.store.notes.streams()), ([*"012345"], []))
        self.assertEqual(self.store.held.first_waiting(self.stream), self.rows[4].id)
        self.assertEqual([batch.first for batch in self.store.held.of(self.stream)], [self.rows[0].id, self.rows[2].id])

    def test_release(self) -> None:
        """They go batch by batch."""
        first, second = self.store.held.of(self.stream)
        self.store.held.release(first)
        self.assertEqual((self.values(), self.store.held.of(self.stream)), ([*"2345"], [second]))
        self.store.held.release(second)
        self.assertEqual((self.values(), self.store.held.streams(), self.ledger().confirmed), ([*"45"], set(), 4))

    def test_lose(self) -> None:
        """Those that are lost wait again, before all others; those beside them are gone."""
        self.store.held.lose(self.stream, [self.rows[1].id, self.rows[3].id])
        self.assertEqual((self.values(), self.store.held.of(self.stream)), ([*"1345"], []))
        self.assertEqual((self.ledger().confirmed, self.ledger().waiting), (2, 4))
        self.assertLessEqual(self.store.held.first_waiting(self.stream), self.rows[1].id)

    def test_clear(self) -> None:
        """What is dropped is what waits."""
        self.store.notes.clear()
        self.assertEqual((self.values(), self.ledger().dropped, self.ledger().confirmed), ([*"0123"], 2, 4))
        self.store.held.lose(self.stream, [row.id for row in self.rows[:4]])
        self.assertEqual(self.ledger().waiting, 4)

    def test_dropped_meanwhile(self) -> None:
        """Rows that were dropped while they were on their way are not counted twice."""
        note = noted(self.stream, self.rows[4:])
        self.store.notes.clear()
        self.store.held.hold(note, self.rows[-1].id)
        self.assertEqual(
            (self.ledger().dropped, self.ledger().confirmed, len(self.store.held.of(self.stream))), (2, 4, 2)
        )

    def test_added_meanwhile(self) -> None:
        """Points that come while others are held get ids and times behind them."""
        for batch in self.store.held.of(self.stream):
            self.store.held.release(batch)
        self.store.notes.clear()
        self.store.points.append(self.stream, 1.0, '"new"', 0)
        (row,) = waiting(self.store, self.stream)
        self.assertGreater((row.id, row.t), (self.rows[-1].id, self.rows[-1].t))
