"""Tests of `connectordb.logger.rows.points`."""

from __future__ import annotations

from connectordb.exceptions import StorageFull
from connectordb.logger.rows.store import Store
from tests.support.logger_cases import ALL, StoreCase, waiting


class PointsTests(StoreCase):
    """Points are added and come back in order, under ids that were never used."""

    def test_ids_after_a_cut(self) -> None:
        """Ids of rows that are gone are not used again, also after the file was opened anew."""
        self.store.points.append(self.stream, 1.0, "1", 0)
        (row,) = waiting(self.store, self.stream)
        self.store.notes.resolve(self.stream, [row.id])
        self.store.close()
        with_new = Store(self.path)
        self.addCleanup(with_new.close)
        with_new.points.append(self.stream, 0.5, "2", 0)
        (again,) = waiting(with_new, self.stream)
        self.assertGreater(again.id, row.id)
        self.assertGreater(again.t, row.t)

    def test_all_or_nothing(self) -> None:
        """A failing insert of many leaves nothing behind."""
        connection = self.store._file._commits._connection
        connection.pragma("max_page_count", int(connection.pragma("page_count")) + 2)
        with self.assertRaises(StorageFull):
            self.store.points.append_many(
                {self.stream: [(float(n + 1), '"' + "x" * 99 + '"') for n in range(1000)]}, 1.0
            )
        self.assertEqual(self.store.points.waiting(), 0)
        connection.pragma("max_page_count", 10**6)
        self.store.points.append(self.stream, 1.0, "2", 0)
        self.assertEqual([row.id & (2**40 - 1) for row in waiting(self.store, self.stream)], [1])

    def test_rows_in_pages(self) -> None:
        """Rows come up to a number and a size, but so many at least."""
        for n in range(5):
            self.store.points.append(self.stream, 1.0, f'"{n}{"x" * 100}"', 0)
        first, last = self.stream << 40, self.store.points.newest()[self.stream]
        self.assertEqual(len(self.store.points.rows(first, last, 3, ALL)), 3)
        self.assertEqual(len(self.store.points.rows(first, last, 5, 300)), 2)
        self.assertEqual(len(self.store.points.rows(first, last, 5, 1, at_least=2)), 2)
