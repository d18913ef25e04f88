"""Tests of `connectordb.logger.rows.thinning`."""

from __future__ import annotations

from connectordb.logger.rows import fate, thinning
from connectordb.logger.rows.store import Store
from tests.support.case import Case
from tests.support.logger_cases import add, noted, waiting


class ThinningTests(Case):
    """What is left of a stream covers its time evenly."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.stream = add(self.store, "a")
        self.logged = 0

    def log(self, number: int) -> None:
        points = [(float(n), str(n)) for n in range(self.logged + 1, self.logged + number + 1)]
        self.store.points.append_many({self.stream: points}, 0.0)
        self.logged += number

    def thin(self, levels: int = 1) -> int:
        return self.store._file.write(lambda connection: thinning.thin(connection, self.store._file.tails, levels))

    def values(self) -> list[int]:
        return [int(row.d) for row in waiting(self.store, self.stream)]

    def test_every_second(self) -> None:
        """At first it is every second; the newest stays."""
        self.log(9)
        self.assertEqual(self.thin(), 4)
        self.assertEqual(self.values(), [2, 4, 6, 8, 9])
        self.log(1)
        self.assertEqual(self.thin(), 3)
        self.assertEqual(self.values(), [4, 8, 10])

    def test_evenly(self) -> None:
        """However often it happens, old and new are covered alike: gaps differ little, but for the newest part."""
        while self.logged < 20_000:
            self.log(100)
            while len(self.values()) > 400:
                self.assertTrue(self.thin())
        values = self.values()
        gaps = [two - one for one, two in zip(values, values[1:], strict=False)]
        older = [gap for value, gap in zip(values, gaps, strict=False) if value < 10_000]
        self.assertLessEqual(max(older), 4 * min(older))
        self.assertLess(max(gaps), 200)
        self.assertLess(values[0], 300)
        self.assertEqual(values[-1], 20_000)
        (ledger,) = self.store.points.ledgers()
        self.assertEqual((ledger.accepted, ledger.dropped), (20_000, 20_000 - len(values)))
        with self.store._file.reading() as connection:
            first = self.stream << 40
            for number in range(1, 20_001, 7):
                kept = None if number not in values else first + number
                self.assertEqual(fate.trace(connection, first + number), kept)
            ((entries,),) = connection.execute("SELECT count(*) FROM fate")
        self.assertLess(entries, 50)

    def test_in_slices(self) -> None:
        """A long stream is thinned in slices, from the oldest on."""
        self.log(10_000)
        self.assertEqual(self.thin(), 1000)
        self.assertEqual((self.values()[999:1002], len(self.values())), ([2000, 2001, 2002], 9000))
        self.assertEqual(self.thin(), 1000)

    def test_not_what_is_noted(self) -> None:
        """What may have been sent stays; after that it begins anew."""
        self.log(10)
        rows = waiting(self.store, self.stream)
        self.store.notes.write(noted(self.stream, rows[:5]))
        self.assertEqual(self.thin(), 2)
        self.assertEqual(self.values(), [1, 2, 3, 4, 5, 6, 8, 10])
        self.store.notes.resolve(self.stream, [row.id for row in rows])
        self.log(8)
        self.assertEqual(self.thin(), 4)

    def test_fullest(self) -> None:
        """The stream that has the most is thinned."""
        other = add(self.store, "b")
        self.log(10)
        self.store.points.append_many({other: [(float(n + 1), "1") for n in range(12)]}, 0.0)
        self.thin()
        self.assertEqual((len(self.values()), len(waiting(self.store, other))), (10, 6))

    def test_few(self) -> None:
        """Where there is nothing to thin out, nothing is."""
        self.assertEqual(self.thin(), 0)
        self.log(1)
        self.assertEqual(self.thin(), 0)
        self.log(1)
        self.assertEqual(self.thin(), 1)
        self.assertEqual(self.thin(), 0)
        self.log(2)
        self.assertEqual(self.thin(2), 2)
        self.assertEqual(self.values(), [4])
