"""Tests of `connectordb.logger.rows.dropping`."""

from __future__ import annotations

from collections.abc import Callable

from connectordb.logger.clocks.judgement import PLAUSIBLE
from connectordb.logger.rows import dropping, fate
from connectordb.logger.rows.dropping import Age
from connectordb.logger.rows.store import Store
from connectordb.runtime import sqlite
from tests.support.case import Case
from tests.support.logger_cases import add, noted, waiting

NEW = PLAUSIBLE + 1000


class DroppingTests(Case):
    """Points that are given up are the right ones, counted, and known to be dropped."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.a, self.b = add(self.store, "a"), add(self.store, "b")

    def log(self, stream: int, *times: float) -> list[int]:
        for t in times:
            self.store.points.append(stream, t, "1", 0)
        return [row.id for row in waiting(self.store, stream)][-len(times) :]

    def do(self, work: Callable[..., int], *values: object) -> int:
        return self.store._file.write(lambda connection: work(connection, *values))

    def times(self, stream: int) -> list[float]:
        return [row.t for row in waiting(self.store, stream)]

    def assert_dropped(self, *ids: int) -> None:
        with self.store._file.reading() as connection:
            self.assertEqual([fate.trace(connection, id) for id in ids], [None] * len(ids))

    def ledger(self) -> list[tuple[int, int]]:
        ledgers = self.store.points.ledgers()
        for ledger in ledgers:
            self.assertEqual(ledger.accepted, ledger.waiting + ledger.confirmed + ledger.aside + ledger.dropped)
        return [(ledger.waiting, ledger.dropped) for ledger in ledgers]

    def test_oldest(self) -> None:
        """The oldest of all streams go first, but nothing in a note, and nothing that is held."""
        first = self.log(self.a, 1.0, 3.0, 5.0)
        second = self.log(self.b, 2.0, 4.0, 6.0, 8.0)
        self.assertEqual(self.do(dropping.oldest, self.store._file.tails, 3), 3)
        self.assertEqual((self.times(self.a), self.times(self.b)), ([5.0], [4.0, 6.0, 8.0]))
        self.assert_dropped(first[0], first[1], second[0])
        rows = waiting(self.store, self.b)
        self.store.held.hold(noted(self.b, rows[:1]), rows[0].id, 1.0)
        self.store.notes.write(noted(self.b, rows[1:2]))
        self.store.notes.write(noted(self.a, waiting(self.store, self.a)))
        self.assertEqual(self.do(dropping.oldest, self.store._file.tails, 10), 1)
        self.assertEqual((self.times(self.a), self.times(self.b)), ([5.0], [4.0, 6.0]))
        self.assertEqual(self.ledger(), [(1, 2), (1, 2)])
        self.assertEqual(self.do(dropping.oldest, self.store._file.tails, 10), 0)

    def test_pass_over(self) -> None:
        """New points that are dropped are counted under ids that nobody else gets."""
        self.log(self.a, 1.0)
        first = self.do(dropping.pass_over, self.store._file.tails, self.a, 3)
        (later,) = self.log(self.a, 2.0)
        self.assertEqual(later, first + 3)
        self.assert_dropped(first, first + 1, first + 2)
        self.assertEqual(self.ledger()[0], (2, 3))

    def test_count_and_used(self) -> None:
        """What the file holds is what waits and what was set aside; what is held does not count."""
        ids = self.log(self.a, 1.0, 2.0, 3.0)
        rows = waiting(self.store, self.a)
        self.store.held.hold(noted(self.a, rows[:1]), ids[0], 1.0)
        self.store.notes.resolve(self.a, (), ids[1:2], "refused", 1.0)
        self.assertEqual(self.do(dropping.count), 2)
        before = self.do(dropping.used)
        for _ in range(5):
            self.store.points.append(self.b, 1.0, f'"{"x" * 5000}"', 0)
        self.assertGreater(self.do(dropping.used), before + 20_000)
        self.do(dropping.oldest, self.store._file.tails, 10)
        self.assertLess(self.do(dropping.used), before + 10_000)

    def test_rejected(self) -> None:
        """What was set aside goes by number, or by age."""
        ids = self.log(self.a, 1.0, NEW, NEW + 2) + self.log(self.b, NEW + 1)
        for id in ids:
            self.store.notes.resolve(id >> 40, (), [id], "refused", 1.0)
        self.assertEqual(self.do(dropping.rejected_before, Age(NEW + 1, None, 0.0)), 1)
        self.assert_dropped(ids[1])
        self.assertEqual(self.do(dropping.rejected, 2), 2)
        self.assertEqual([point.t for point in self.store.aside.points()], [NEW + 1])
        self.assertEqual(self.ledger(), [(0, 3), (0, 0)])

    def test_age(self) -> None:
        """What is too old goes, not what is of a time at which the clock was not set."""
        self.log(self.a, 5.0, NEW, NEW + 1, NEW + 2)
        self.log(self.b, NEW + 5)
        tails = self.store._file.tails
        self.assertEqual(self.do(dropping.before, tails, Age(NEW + 2, None, 0.0), 1), 1)
        self.assertEqual(self.do(dropping.before, tails, Age(NEW + 2, None, 0.0), 9), 1)
        self.assertEqual((self.times(self.a), self.times(self.b)), ([5.0, NEW + 2], [NEW + 5]))

    def test_age_by_the_other_clock(self) -> None:
        """Of this start of the machine's points the clock decides that nobody sets."""
        # at 100 s after the start the wall clock showed 2001 and a bit
        era, _ = self.store.catalogue.era("now", NEW - 100)
        self.store.points.append(self.a, NEW, "1", era)
        self.store.points.append(self.a, NEW + 50, "2", era)
        self.store.points.append_many({self.b: [(NEW, "3")]}, 0.0)
        tails = self.store._file.tails
        # meanwhile the wall clock was set, forward by twenty years
        self.assertEqual(self.do(dropping.before, tails, Age(NEW + 6e8, "now", 120.0), 9), 2)
        self.assertEqual((self.times(self.a), self.times(self.b)), ([NEW + 50], []))
        self.assertEqual(self.do(dropping.before, tails, Age(NEW + 6e8, "another", 120.0), 9), 1)

    def test_rollback(self) -> None:
        """Nothing has happened if the transaction fails."""
        self.log(self.a, 1.0, 2.0)

        def fail(connection: sqlite.Connection) -> None:
            dropping.oldest(connection, self.store._file.tails, 2)
            raise KeyError

        with self.assertRaises(KeyError):
            self.store._file.write(fail)
        self.assertEqual(self.ledger()[0], (2, 0))
        self.log(self.a, 3.0)
        self.assertEqual(self.times(self.a), [1.0, 2.0, 3.0])
