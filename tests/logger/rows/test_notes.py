"""Tests of `connectordb.logger.rows.notes`."""

from __future__ import annotations

import threading

from connectordb.logger.rows import Store
from tests.support.case import SOON
from tests.support.logger_cases import StoreCase, noted, waiting


class NotesTests(StoreCase):
    """Rows are noted, and taken off with their note."""

    def test_threads_against_a_sync(self) -> None:
        """While threads insert, others take rows off and look: the sum is right."""
        done = threading.Event()

        def confirm() -> None:
            while not done.is_set():
                rows = waiting(self.store, self.stream)[:7]
                if rows:
                    self.store.notes.write(noted(self.stream, rows))
                    self.store.notes.resolve(self.stream, [row.id for row in rows])

        def insert() -> None:
            for n in range(100):
                self.store.points.append(self.stream, 1.0, str(n), 0)

        confirming = threading.Thread(target=confirm)
        inserting = [threading.Thread(target=insert) for _ in range(4)]
        for thread in (confirming, *inserting):
            thread.start()
        for thread in inserting:
            thread.join(SOON)
        done.set()
        confirming.join(SOON)
        (ledger,) = self.store.points.ledgers()
        self.assertEqual(ledger.accepted, 400)
        self.assertEqual(ledger.waiting + ledger.confirmed, 400)

    def test_no_view_stays_open(self) -> None:
        """A statement that is not read to its end is closed: else the next write fails once another process wrote."""
        for n in range(5):
            self.store.points.append(self.stream, 10.0 + n, str(n), 0)
        note = noted(self.stream, waiting(self.store, self.stream)[:1])
        self.store.notes.write(note)
        self.store.notes.move(note)
        self.store.notes.restamp(note, 11.0)
        other = Store(self.path)
        other.points.append(self.stream, 30.0, "5", 0)
        other.close()
        self.store.notes.resolve(self.stream)
        self.assertEqual(self.store.points.waiting(), 6)
