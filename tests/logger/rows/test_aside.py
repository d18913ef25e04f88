"""Tests of `connectordb.logger.rows.aside`."""

from __future__ import annotations

from connectordb.exceptions import LoggerError
from connectordb.logger.records import Ledger
from connectordb.logger.rows import fate
from connectordb.logger.rows.store import Store
from tests.support.case import Case
from tests.support.logger_cases import add, noted, waiting


class AsideTests(Case):
    """What was set aside is kept with the reason, and may wait again or be dropped."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.stream = add(self.store, "a")

    def log(self, *times: float, stream: int | None = None) -> list[int]:
        """Log points whose values are their times, and return their ids."""
        for t in times:
            self.store.points.append(stream or self.stream, t, f"{t}", 7)
        return [row.id for row in waiting(self.store, stream or self.stream)][-len(times) :]

    def set_aside(self, ids: list[int], sent: bool = False) -> None:
        if sent:
            self.store.notes.write(
                noted(self.stream, [row for row in waiting(self.store, self.stream) if row.id in ids])
            )
        self.store.notes.resolve(ids[0] >> 40, (), ids, "refused", 9.0)

    def ledger(self) -> Ledger:
        ledger = self.store.points.ledgers()[0]
        self.assertEqual(ledger.accepted, ledger.waiting + ledger.confirmed + ledger.aside + ledger.dropped)
        return ledger

    def trace(self, id: int) -> int | None:
        with self.store._file.reading() as connection:
            return fate.trace(connection, id)

    def test_points(self) -> None:
        """They come oldest first, with what they were and why; one that is no JSON as the text it is."""
        for text in ("1", "nan?"):
            self.store.points.append(self.stream, 1.0, text, 0)
        ids = [row.id for row in waiting(self.store, self.stream)]
        self.store.notes.resolve(self.stream, (), ids[1:], "not JSON", 8.0)
        self.store.notes.resolve(self.stream, (), ids[:1], "refused", 9.0)
        self.assertEqual(
            [(point.id, point.stream, point.d, point.reason, point.at) for point in self.store.aside.points()],
            [(ids[1], "a", "nan?", "not JSON", 8.0), (ids[0], "a", 1, "refused", 9.0)],
        )
        self.assertEqual([point.d for point in self.store.aside.points(ids[:1])], [1])
        self.assertEqual(self.store.aside.points(stream="b"), [])

    def test_retry_in_time(self) -> None:
        """What is not older than what was sent keeps its time, and goes in among those that wait."""
        ids = self.log(10.0, 20.0, 30.0)
        self.set_aside(ids[1:2])
        self.assertEqual(self.store.aside.retry([ids[1]]), 1)
        rows = waiting(self.store, self.stream)
        self.assertEqual([(row.t, row.d) for row in rows], [(10.0, "10.0"), (20.0, "20.0"), (30.0, "30.0")])
        self.assertEqual([self.trace(id) for id in ids], [row.id for row in rows])
        self.assertEqual((self.ledger().accepted, self.ledger().waiting, self.store.aside.points()), (3, 3, []))

    def test_retry_too_old(self) -> None:
        """What is older needs another time, which has to be asked for; otherwise all stay where they are."""
        ids = self.log(10.0, 20.0, 30.0, 40.0)
        self.set_aside(ids[:2], sent=True)
        with self.assertRaisesRegex(LoggerError, f"the points {ids[0]} of 'a' are older than 20.0.* restamp=True"):
            self.store.aside.retry()
        self.assertEqual(len(self.store.aside.points()), 2)
        self.assertEqual(self.store.aside.retry(restamp=True), 2)
        rows = waiting(self.store, self.stream)
        self.assertEqual([row.d for row in rows], ["10.0", "20.0", "30.0", "40.0"])
        times = [row.t for row in rows]
        self.assertEqual(times, sorted(set(times)))
        self.assertEqual([round(t, 3) for t in times], [20.0, 20.0, 30.0, 40.0])
        self.assertTrue(times[0] > 20.0)
        self.assertEqual([self.trace(id) for id in ids], [row.id for row in rows])
        self.assertEqual((self.ledger().waiting, self.ledger().aside), (4, 0))

    def test_retry_no_json(self) -> None:
        """What is no JSON is not tried again."""
        self.store.points.append(self.stream, 1.0, "nan?", 0)
        self.set_aside([row.id for row in waiting(self.store, self.stream)])
        with self.assertRaisesRegex(LoggerError, "no JSON"):
            self.store.aside.retry()
        self.assertEqual(self.store.aside.drop(), 1)

    def test_drop(self) -> None:
        """Dropped ones are counted, and known to be dropped; those of other streams stay."""
        other = add(self.store, "b")
        ids = self.log(10.0, 20.0, 30.0)
        self.set_aside(ids)
        self.set_aside(self.log(1.0, stream=other))
        self.assertEqual(self.store.aside.drop([ids[0]]), 1)
        self.assertEqual(self.store.aside.drop(stream="a"), 2)
        self.assertEqual((self.ledger().dropped, self.ledger().aside), (3, 0))
        self.assertEqual({self.trace(id) for id in ids}, {None})
        self.assertEqual([point.stream for point in self.store.aside.points()], ["b"])
        self.assertEqual((self.store.aside.drop([]), self.store.aside.retry([])), (0, 0))

    def test_unknown_ids(self) -> None:
        """An id that is not set aside is an error, and nothing is done."""
        ids = self.log(10.0)
        self.set_aside(ids)
        for act in (self.store.aside.drop, self.store.aside.retry):
            with self.assertRaisesRegex(LoggerError, "the points 5 are not set aside"):
                act([*ids, 5])
        with self.assertRaisesRegex(LoggerError, "and 3 more"):
            self.store.aside.drop(list(range(8)))
        self.assertEqual(len(self.store.aside.points()), 1)

    def test_listener(self) -> None:
        """The listener is told, and may fail."""
        told: list[int] = []
        self.store.aside.tell([1])
        self.store.aside.listener = told.extend
        self.store.aside.tell([])
        self.store.aside.tell([1, 2])
        self.assertEqual(told, [1, 2])

        def fail(ids: object) -> None:
            raise RuntimeError("my own mistake")

        self.store.aside.listener = fail
        with self.assertLogs("connectordb.logger", "ERROR") as logged:
            self.store.aside.tell([3])
        self.assertIn("my own mistake", logged.output[0])
