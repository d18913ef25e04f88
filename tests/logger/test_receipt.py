"""Tests of `connectordb.logger.receipt`."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from unittest import mock

from connectordb.exceptions import ClosedError, LocalProtocolError
from connectordb.logger import Logger
from connectordb.logger.file import changes
from tests.support.case import MS, SOON, Case
from tests.support.logger_cases import OpenCase


class ReceiptTests(OpenCase):
    """A receipt tells what became of a point, and wakes who waits for that."""

    def setUp(self) -> None:
        super().setUp()
        self.new_stream(schema={"type": "number"})
        self.logger = self.open()
        self.logger.addStream("s")

    def test_stored(self) -> None:
        """Waiting, then stored; the time stays known."""
        before = time.time()
        receipt = self.logger.insert("s", 1)
        self.assertEqual((receipt.state, receipt.reason), ("waiting", None))
        self.assertEqual(receipt.wait(0.0), "waiting")
        self.assertTrue(before <= receipt.t <= time.time())
        self.logger.sync()
        self.assertEqual(receipt.wait(SOON), "stored")
        self.assertEqual(self.at("s")[:][0]["t"], receipt.t)
        self.assertIn(repr(receipt.t), repr(receipt))

    def test_woken(self) -> None:
        """A sync in the background wakes those who wait for their points."""
        receipts = [self.logger.insert("s", n) for n in range(3)]
        states: list[str] = []
        threads = [threading.Thread(target=lambda r=r: states.append(r.wait(SOON))) for r in receipts]
        with mock.patch.object(changes, "PERIOD", SOON):
            for thread in threads:
                thread.start()
            self.eventually(lambda: len(self.logger._store._file.changes._waiting) == 3, "three that wait")
            self.logger.start()
            for thread in threads:
                thread.join(SOON)
        self.assertEqual(states, ["stored"] * 3)

    def test_another_process(self) -> None:
        """One that another Logger sends is noticed."""
        receipt = self.logger.insert("s", 1)
        another = self.open()
        with mock.patch.object(changes, "PERIOD", 5 * MS):
            threading.Thread(target=another.sync).start()
            self.assertEqual(receipt.wait(SOON), "stored")

    def test_set_aside_and_dropped(self) -> None:
        """The reason is told, and what was dropped is known as that."""
        self.logger.addStream_force("s")  # takes anything; the server does not
        refused, fine = self.logger.insert("s", "text"), self.logger.insert("s", 1)
        self.logger.sync()
        self.assertEqual((refused.wait(SOON), fine.wait(SOON)), ("set aside", "stored"))
        self.assertIn("schema", refused.reason or "")
        dropped = self.logger.insert("s", 2)
        self.logger.cleardata()
        self.assertEqual((dropped.wait(SOON), dropped.reason), ("dropped", None))


class OwnTimeTests(Case):
    """`insert` with a time of one's own."""

    def setUp(self) -> None:
        super().setUp()
        self.logger = Logger(self.folder() / "a.db")
        self.addCleanup(self.logger.close)
        self.logger.addStream_force("s")

    def test_times(self) -> None:
        """Seconds, datetimes, times ago and ISO 8601 are kept as they are; an equal one is moved by the smallest step."""
        noon = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
        for t in (noon.timestamp(), noon + timedelta(seconds=1), "2026-03-01T13:00:02+01:00"):
            self.logger.insert("s", 1, t)
        rows = self.logger._store.points.rows(0, 2**62, 10, 1000)
        self.assertEqual([row.t for row in rows], [noon.timestamp() + n for n in range(3)])
        self.assertAlmostEqual(self.logger.insert("s", 1, noon).t, noon.timestamp(), delta=1e-3)
        self.assertEqual(self.logger._store._file.tails.shifted(1), 1)
        ago = self.logger.insert("s", 1, t=timedelta(hours=1))
        self.assertAlmostEqual(ago.t, time.time() - 3600, delta=5)

    def test_earlier(self) -> None:
        """An earlier one is sorted in among those that wait; their receipts go on."""
        late = self.logger.insert("s", "late", 20.0)
        early = self.logger.insert("s", "early", 10.0)
        rows = self.logger._store.points.rows(0, 2**62, 10, 1000)
        self.assertEqual([row.d for row in rows], ['"early"', '"late"'])
        self.assertEqual([(r.state, r.t) for r in (late, early)], [("waiting", 20.0), ("waiting", 10.0)])

    def test_no_time(self) -> None:
        """What is no time after 1970 is refused."""
        for t in (0, -1.0, float("nan"), "some day", True, timedelta(days=40000), 2**63):
            with self.assertRaises(LocalProtocolError):
                self.logger.insert("s", 1, t)  # type: ignore[arg-type]
        self.assertEqual(len(self.logger), 0)

    def test_closed(self) -> None:
        """Without the file nothing can be said, but for what was seen before; who waits is told at once."""
        waiting, seen = self.logger.insert("s", 1), self.logger.insert("s", 2)
        told = threading.Event()

        def wait() -> None:
            try:
                waiting.wait(SOON)
            except ClosedError:
                told.set()

        self.logger.cleardata()
        self.assertEqual(seen.state, "dropped")
        waiting = self.logger.insert("s", 3)
        thread = threading.Thread(target=wait)
        thread.start()
        self.eventually(lambda: self.logger._store._file.changes._waiting, "one who waits")
        self.logger.close()
        self.wait(told)
        thread.join(SOON)
        self.assertEqual(seen.state, "dropped")
        with self.assertRaises(ClosedError):
            _ = waiting.state
