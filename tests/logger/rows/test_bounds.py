"""Tests of `connectordb.logger.rows.bounds`."""

from __future__ import annotations

import os
import threading

from connectordb.exceptions import LocalProtocolError, LoggerFull
from connectordb.logger import Logger
from connectordb.logger.clocks.judgement import PLAUSIBLE
from connectordb.logger.limits import Limits
from connectordb.logger.rows.store import Store
from connectordb.runtime.clock import Clock
from tests.support.case import SOON, Case
from tests.support.logger_cases import NOWHERE, OpenCase, add, noted, waiting

NEW = PLAUSIBLE + 1e8


class Machine(Clock):
    """Clocks that are set by hand."""

    def __init__(self) -> None:
        self.now, self.up = NEW, 100.0
        self.boot = lambda: self.up

    def wall(self) -> float:
        return self.now

    def boot_id(self) -> str:
        return "this"


class BoundsCase(Case):
    """A file with bounds, and the streams ``a`` and ``b``."""

    def open(self, limits: Limits) -> Store:
        self.clock = Machine()
        self.path = self.folder() / "a.db"
        store = Store(self.path, bounds=limits, clock=self.clock)
        self.addCleanup(store.close)
        self.a, self.b = add(store, "a"), add(store, "b")
        self.store = store
        return store

    def log(self, *values: float, stream: int | None = None) -> None:
        for value in values:
            self.store.points.append(stream or self.a, NEW + value, f"{value:g}", 0)

    def values(self, stream: int | None = None) -> list[float]:
        return [float(row.d) for row in waiting(self.store, stream or self.a)]

    def ledger(self, which: int = 0) -> tuple[int, int, int]:
        for ledger in self.store.points.ledgers():
            self.assertEqual(ledger.accepted, ledger.waiting + ledger.confirmed + ledger.aside + ledger.dropped)
        ledger = self.store.points.ledgers()[which]
        return ledger.accepted, ledger.waiting, ledger.dropped


class PointsTests(BoundsCase):
    """At `max_points` something gives way."""

    def test_raise(self) -> None:
        """The caller: nothing is taken, nothing is lost, and it goes on when there is room."""
        store = self.open(Limits(max_points=3))
        self.log(1, 2)
        with self.assertRaisesRegex(LoggerFull, "2 points wait or are set aside.*2 more were not taken"):
            store.points.append_many({self.a: [(NEW + 3, "3")], self.b: [(NEW + 4, "4")]}, NEW)
        self.log(3)
        for _ in range(2):
            with self.assertRaises(LoggerFull):
                self.log(4)
        with self.assertRaises(LoggerFull):
            store.points.append_at(self.a, NEW + 4, "4", NEW)
        self.assertEqual((self.values(), self.ledger()), ([1, 2, 3], (3, 3, 0)))
        store.notes.resolve(self.a, [waiting(store, self.a)[0].id])
        self.log(4)
        self.assertEqual(self.values(), [2, 3, 4])

    def test_drop_oldest(self) -> None:
        """The oldest of all streams, one by one in a small file."""
        self.open(Limits(max_points=3, on_full="drop_oldest"))
        self.log(1, 2)
        self.log(3, 4, stream=self.b)
        self.assertEqual((self.values(), self.values(self.b)), ([2], [3, 4]))
        self.store.points.append_at(self.a, NEW + 2.5, "2.5", NEW)
        self.assertEqual((self.values(), self.values(self.b)), ([2.5], [3, 4]))
        self.store.points.append_many({self.a: [(NEW + n, str(n)) for n in range(10, 30)]}, NEW)
        self.assertEqual((self.values(), self.values(self.b)), ([27, 28, 29], []))
        self.assertEqual((self.ledger(), self.ledger(1)), ((23, 3, 20), (2, 0, 2)))

    def test_drop_newest(self) -> None:
        """The new one, which counts as accepted and dropped; of many those that are the latest."""
        store = self.open(Limits(max_points=3, on_full="drop_newest"))
        self.log(1, 2)
        store.points.append_many({self.a: [(NEW + 5, "5"), (NEW + 3, "3")], self.b: [(NEW + 4, "4")]}, NEW)
        self.assertEqual((self.values(), self.values(self.b)), ([1, 2, 3], []))
        id, t = store.points.append(self.a, NEW + 6, "6", 0)
        self.assertEqual((store.tracing.look(id).state, t), ("dropped", NEW + 6))
        self.assertEqual(store.tracing.look(store.points.append_at(self.a, NEW + 7, "7", NEW)[0]).state, "dropped")
        self.assertEqual((self.ledger(), self.ledger(1)), ((6, 3, 3), (1, 0, 1)))
        store.notes.resolve(self.a, [waiting(store, self.a)[0].id])
        self.log(8, 9)
        self.assertEqual(self.values(), [2, 3, 8])

    def test_thin(self) -> None:
        """Some all over the stream that has the most."""
        self.open(Limits(max_points=8, on_full="thin"))
        self.log(*range(1, 10))
        self.assertEqual(self.values(), [2, 4, 6, 8, 9])
        self.log(*range(10, 200))
        self.assertLessEqual(len(self.values()), 8)
        self.assertLess(self.values()[0], 100)

    def test_in_flight(self) -> None:
        """What may have been sent does not give way: if all of it may have been, the new one does."""
        for on_full in ("drop_oldest", "thin"):
            store = self.open(Limits(max_points=3, on_full=on_full))  # type: ignore[arg-type]
            self.log(1, 2, 3)
            store.notes.write(noted(self.a, waiting(store, self.a)))
            self.log(4)
            self.assertEqual((self.values(), self.ledger()), ([1, 2, 3], (4, 3, 1)))

    def test_set_aside(self) -> None:
        """What was set aside counts, and goes first."""
        store = self.open(Limits(max_points=3, on_full="drop_oldest"))
        self.log(1, 2, 3)
        store.notes.resolve(self.a, (), [waiting(store, self.a)[1].id], "refused", 1.0)
        self.log(4)
        self.assertEqual((self.values(), store.aside.points()), ([1, 3, 4], []))

    def test_slabs(self) -> None:
        """Of a large file a thousandth goes at once, so that not every insert pays."""
        self.open(Limits(max_points=5000, on_full="drop_oldest"))
        self.store.points.append_many({self.a: [(NEW + n, str(n)) for n in range(5000)]}, NEW)
        self.log(5000)
        self.assertEqual(self.ledger(), (5001, 4996, 5))

    def test_other_processes(self) -> None:
        """Others who add to the file, unbounded, are noticed soon."""
        self.open(Limits(max_points=200, on_full="drop_oldest"))
        self.log(1)
        with_none = Store(self.path)
        self.addCleanup(with_none.close)
        with_none.points.append_many({self.b: [(NEW + n, "1") for n in range(300)]}, NEW)
        self.log(*range(2, 67))
        self.assertLessEqual(self.store.points.waiting(), 200)

    def test_rolled_back(self) -> None:
        """What was dropped in a transaction that failed is there again, and counts."""
        self.open(Limits(max_points=100, on_full="drop_oldest"))
        self.log(*range(100))
        bounds = self.store.bounds

        def fail(connection: object) -> None:
            bounds.look(connection, [1], NEW)  # type: ignore[arg-type]
            self.store._file.tails.append(connection, self.a, NEW + 101, "101", 0)  # type: ignore[arg-type]
            bounds.settle(connection, NEW)  # type: ignore[arg-type]
            raise KeyError

        with self.assertRaises(KeyError):
            self.store._file.write(fail)
        self.assertEqual(self.ledger(), (100, 100, 0))
        self.log(102, 103)
        self.assertEqual(self.ledger(), (102, 100, 2))

    def test_threads(self) -> None:
        """While many threads insert the bound holds at every moment, and it adds up."""
        for on_full in ("drop_oldest", "drop_newest", "thin", "raise"):
            store = self.open(Limits(max_points=50, on_full=on_full))  # type: ignore[arg-type]
            refused: list[int] = []

            def insert(thread: int, store: Store = store, refused: list[int] = refused) -> None:
                for n in range(60):
                    try:
                        store.points.append(self.a if n % 3 else self.b, NEW + n, str(thread * 1000 + n), 0)
                    except LoggerFull:
                        refused.append(n)

            threads = [threading.Thread(target=insert, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                self.assertLessEqual(store.points.waiting(), 50)
            for thread in threads:
                thread.join(SOON)
            accepted = self.ledger()[0] + self.ledger(1)[0]
            self.assertEqual((accepted, store.points.waiting() > 0), (480 - len(refused), True))
            self.assertEqual(bool(refused), on_full == "raise")


class BytesTests(BoundsCase):
    """At `max_bytes` likewise."""

    LIMIT = 256 * 1024

    def fill(self, number: int, size: int = 100) -> int:
        for n in range(number):
            self.store.points.append(self.a if n % 2 else self.b, NEW + n, f'"{"ä" * (size // 2)}"', 0)
        return os.path.getsize(self.path)

    def test_empty(self) -> None:
        """The least that may be given leaves room for points."""
        self.open(Limits(max_bytes=self.LIMIT))
        self.fill(500)
        self.assertEqual(self.store.points.waiting(), 500)

    def test_raise(self) -> None:
        """The caller, before the file becomes larger."""
        self.open(Limits(max_bytes=self.LIMIT))
        with self.assertRaises(LoggerFull):
            self.fill(5000)
        self.assertGreater(self.store.points.waiting(), 700)
        self.store.close()
        self.assertLessEqual(os.path.getsize(self.path), self.LIMIT)

    def test_others(self) -> None:
        """The file becomes no larger, whatever gives way, and with large values as well."""
        for on_full in ("drop_oldest", "drop_newest", "thin"):
            for size in (100, 3000, 20_000):
                with self.subTest(on_full=on_full, size=size):
                    store = self.open(Limits(max_bytes=self.LIMIT, on_full=on_full))  # type: ignore[arg-type]
                    number = 600_000 // size if size < 3000 else 300
                    self.fill(number, size)
                    waits = store.points.waiting()
                    self.assertEqual((self.ledger()[0], self.ledger(1)[0]), (number // 2, number // 2))
                    store.close()
                    self.assertLessEqual(os.path.getsize(self.path), self.LIMIT)
                    # a quarter at least is used for points; what was thinned leaves pages half empty
                    self.assertGreater(waits * size, self.LIMIT // 5)


class AgeTests(BoundsCase):
    """Points that were not sent in time are given up."""

    def test_at_insert(self) -> None:
        """They go when something is added, a hundredth of the age later at the latest, whatever gives way otherwise."""
        self.open(Limits(max_age=100))
        self.log(0, 1, 2)
        self.assertEqual(self.values(), [0, 1, 2])
        self.log(101.5)
        self.assertEqual(self.values(), [2, 101.5])
        self.log(102.4)  # not a hundredth later
        self.assertEqual(self.values(), [2, 101.5, 102.4])
        self.log(102.6)
        self.assertEqual((self.values(), self.ledger()), ([101.5, 102.4, 102.6], (6, 3, 3)))

    def test_before_a_pass(self) -> None:
        """And before a sync, then with what was set aside; but nothing that may have been sent."""
        store = self.open(Limits(max_age=100))
        self.log(0, 1, 2, 3)
        rows = waiting(store, self.a)
        store.notes.resolve(self.a, (), [rows[3].id], "refused", NEW)
        store.notes.write(noted(self.a, rows[:1]))
        self.clock.now += 200
        store.bounds.expire()
        self.assertEqual((self.values(), store.aside.points()), ([0], []))

    def test_clock_not_set(self) -> None:
        """A clock that was never set says nothing about age."""
        store = self.open(Limits(max_age=100))
        self.log(0, 1)
        self.clock.now = 5.0
        store.bounds.expire()
        store.points.append(self.b, 5.0, "5", 0)
        self.clock.now = NEW
        store.bounds.expire()
        self.assertEqual((self.values(), self.values(self.b)), ([0, 1], [5]))

    def test_clock_set_forward(self) -> None:
        """A clock that is set forward makes no point older."""
        store = self.open(Limits(max_age=100))
        era, _ = store.catalogue.era("this", NEW - self.clock.up)
        store.points.append(self.a, NEW, "0", era)
        self.clock.now += 1e6
        self.clock.up += 50
        store.bounds.expire()
        self.assertEqual(self.values(), [0])
        self.clock.up += 51
        store.bounds.expire()
        self.assertEqual(self.values(), [])


class LoggerTests(OpenCase):
    """What a program sees of the bounds."""

    def test_bounded(self) -> None:
        """Receipts, the status and the exception tell."""
        with self.open(url=NOWHERE, max_points=2, on_full="drop_oldest") as logger:
            logger.addStream_force("s")
            receipts = [logger.insert("s", n) for n in range(4)]
            self.assertEqual([receipt.state for receipt in receipts], ["dropped", "dropped", "waiting", "waiting"])
            status = logger.status()
            self.assertEqual((status.accepted, status.waiting, status.dropped), (4, 2, 2))
            self.assertIn("at most points: 2; on_full='drop_oldest'", str(status))
        with self.open(url=NOWHERE, max_points=2) as logger:
            with self.assertRaisesRegex(LoggerFull, "drop_rejected"):
                logger.insert("s", 5)
            logger.cleardata()
            logger.insert("s", 5)
        with Logger(self.path) as logger:  # bounds are not kept
            for n in range(5):
                logger.insert("s", n)

    def test_expired(self) -> None:
        """What is too old is given up before a sync, and not sent."""
        self.new_stream()
        logger = self.open(max_age=3600)
        logger.addStream("s")
        logger.insert("s", 1, t=NEW)
        logger.insert("s", 2)
        logger.sync()
        self.assertEqual((self.stored(), logger.status().dropped), ([2], 1))

    def test_bad(self) -> None:
        """Bounds that make no sense are refused, and make no file."""
        path = self.folder() / "other.db"
        with self.assertRaises(LocalProtocolError):
            Logger(path, max_points=0)
        self.assertFalse(path.exists())

    def test_beside_a_sync(self) -> None:
        """While points give way others are sent: each is stored once or dropped, and the numbers say how many."""
        self.new_stream()
        logger = self.open(max_points=40, on_full="thin", durability="normal")
        logger.addStream("s")
        done = threading.Event()

        def insert(thread: int) -> None:
            for n in range(400):
                logger.insert("s", thread * 1000 + n)

        def sync() -> None:
            while not done.is_set():
                logger.sync()

        threads = [threading.Thread(target=insert, args=(number,)) for number in range(3)]
        syncing = threading.Thread(target=sync)
        for thread in (*threads, syncing):
            thread.start()
        for thread in threads:
            thread.join(SOON)
        done.set()
        syncing.join(SOON)
        self.assertTrue(logger.flush(SOON))
        status, stored = logger.status(), self.stored()
        self.assertEqual((status.accepted, status.confirmed + status.dropped, status.aside), (1200, 1200, 0))
        self.assertEqual((len(stored), len(set(stored))), (status.confirmed, status.confirmed))
