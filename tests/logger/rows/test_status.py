"""Tests of `connectordb.logger.rows.status`."""

from __future__ import annotations

import threading
from dataclasses import asdict

from connectordb.logger import Logger, Status
from connectordb.logger.rows.status import Activity
from connectordb.logger.rows.store import Store
from connectordb.protocol.features import Features
from tests.support.case import SOON, Case
from tests.support.logger_cases import NOWHERE, OpenCase, add, noted, waiting

QUIET = Activity(False, False, False, None)
NOW = 2_000_000_000.0


class ReadTests(Case):
    """What the file holds is told, and adds up."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.stream = add(self.store, "a")
        add(self.store, "b")

    def status(self, activity: Activity = QUIET) -> Status:
        return self.store.status(NOW, activity)

    def test_numbers(self) -> None:
        """Every number, of a stream and of all of them."""
        for n in range(6):
            self.store.points.append(self.stream, NOW - 100 + n, str(n), 1)
        rows = waiting(self.store, self.stream)
        self.store.notes.resolve(self.stream, [rows[0].id, rows[1].id], now=NOW - 50)
        self.store.notes.resolve(self.stream, (), [rows[2].id, rows[3].id], "refused", 9.0)
        self.store.aside.drop([rows[3].id])
        self.store.points.append(self.stream, NOW - 100, "again", 1)
        status = self.status()
        one = status.streams["a"]
        self.assertEqual(
            (one.accepted, one.confirmed, one.waiting, one.aside, one.dropped, one.shifted), (7, 2, 3, 1, 1, 1)
        )
        self.assertEqual((one.oldest, one.waited, one.synced), (NOW - 96, 96.0, NOW - 50))
        self.assertEqual((status.accepted, status.waiting, status.oldest, status.waited), (7, 3, NOW - 96, 96.0))
        self.assertEqual(status.streams["b"].oldest, None)
        self.assertEqual(asdict(status)["streams"]["a"]["waiting"], 3)

    def test_waited(self) -> None:
        """How long a point has waited is said only where a clock that was set showed its time."""
        self.store.points.append_many({self.stream: [(NOW - 10, "1")]}, NOW)
        self.assertEqual((self.status().oldest, self.status().waited), (NOW - 10, None))
        self.store.notes.clear()
        other = add(self.store, "b")
        self.store.points.append(other, 100.0, "1", 1)
        self.assertEqual((self.status().oldest, self.status().waited), (100.0, None))

    def test_text(self) -> None:
        """It prints as a table, with what there is to say of each stream."""
        self.store.points.append(self.stream, NOW - 3600, "1", 1)
        self.store.outcomes.stream_failed(self.stream, ValueError("no such stream"), NOW - 60)
        self.store.outcomes.failed(ValueError("no connection"), NOW - 60)
        text = str(self.status(Activity(True, False, True, 42.0)))
        self.assertEqual(text, repr(self.status(Activity(True, False, True, 42.0))))
        for words in (
            "stream  accepted  confirmed  waiting  aside  dropped\na              1          0        1      0        0\n",
            "in the background, another process is syncing the file, next try in 0:00:42, never synced",
            "has waited for 1:00:00, in a",
            "no connection",
            "a: failing since",
            "all ",
        ):
            self.assertIn(words, text)
        self.assertNotIn("shifted", text)
        self.assertIn("a: 1 accepted, 1 waiting; the oldest", repr(self.status().streams["a"]))
        self.store.points.append_many({self.stream: [(9e18, "1")]}, NOW)  # a year that no calendar has
        self.store.notes.resolve(self.stream, [waiting(self.store, self.stream)[0].id])
        self.assertIn("9e+18", str(self.status()))

    def test_notes(self) -> None:
        """It is said where exactly once cannot be had: on ephemeral streams, and without idempotency keys."""
        self.assertEqual([stream.note for stream in self.status().streams.values()], [None, None])
        self.store.outcomes.reached(Features())
        self.assertRegex(str(self.status()), "all: the server knows no idempotency keys")
        self.store.outcomes.reached(Features(idempotency=5))
        self.store.catalogue.put_stream("a", "{}", {"ephemeral": True})
        self.assertRegex(str(self.status()), "a: the stream is ephemeral")
        self.assertIsNone(self.status().streams["b"].note)

    def test_held(self) -> None:
        """What was confirmed and stays in the file for a while is not the oldest that waits."""
        for n in range(3):
            self.store.points.append(self.stream, NOW + n, str(n), 1)
        rows = waiting(self.store, self.stream)
        self.store.held.hold(noted(self.stream, rows[:2]), rows[1].id, NOW)
        one = self.status().streams["a"]
        self.assertEqual((one.oldest, one.waiting, one.confirmed, one.synced), (NOW + 2, 1, 2, NOW))

    def test_one_moment(self) -> None:
        """It adds up at every instant, also while others log, confirm and drop."""
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                for n in range(5):
                    self.store.points.append(self.stream, 1.0, str(n), 1)
                ids = [row.id for row in waiting(self.store, self.stream)]
                self.store.notes.resolve(self.stream, ids[:2], ids[2:3], "refused", 1.0)
                self.store.aside.drop()
                self.store.notes.clear()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            for _ in range(300):
                one = self.status().streams["a"]
                self.assertEqual(one.accepted, one.confirmed + one.waiting + one.aside + one.dropped)
                self.assertLessEqual(one.waiting, 5)
        finally:
            stop.set()
            thread.join(SOON)


class StatusTests(OpenCase):
    """How syncing goes is told, here and in other processes."""

    def setUp(self) -> None:
        super().setUp()
        self.new_stream()
        self.logger = self.open()
        self.logger.addStream("s")

    def test_success_and_failure(self) -> None:
        """The last success, and the failure since, are seen by another process as well."""
        self.assertEqual((self.logger.status().synced, self.logger.status().error), (None, None))
        self.logger.insert("s", 1)
        self.logger.sync()
        status = self.logger.status()
        self.assertEqual((status.confirmed, status.waiting, status.error), (1, 0, None))
        self.assertAlmostEqual(status.synced or 0, status.at, delta=60)
        self.assertAlmostEqual(status.streams["s"].synced or 0, status.at, delta=60)
        self.logger.serverurl = NOWHERE
        self.logger.insert("s", 2)
        self.logger.sync()
        self.logger.sync()
        with Logger(self.path) as other:
            status = other.status()
        self.assertIn("127.0.0.1:1", status.error or "")
        self.assertAlmostEqual(status.error_at or 0, status.at, delta=60)
        self.logger.serverurl = self.proxy.url
        self.logger.sync()
        self.assertIsNone(self.logger.status().error)

    def test_stream_failure(self) -> None:
        """A stream that cannot be served says so, and the others do not."""
        self.logger.addStream_force("gone")
        self.logger.insert("gone", 1)
        self.logger.insert("s", 1)
        self.logger.sync()
        status = self.logger.status()
        self.assertIsNotNone(status.streams["gone"].error)
        self.assertIsNone(status.streams["s"].error)

    def test_background(self) -> None:
        """Whether the background runs and when it tries next; whether somebody syncs, here or elsewhere."""
        status = self.logger.status()
        self.assertEqual((status.background, status.next_try), (False, None))
        self.logger.syncperiod = 1000
        self.logger.start()
        self.eventually(lambda: self.logger.status().next_try, "the first sync is over")
        status = self.logger.status()
        self.assertTrue(status.background)
        self.assertTrue(900 < (status.next_try or 0) <= 1000)
        self.logger.stop()
        self.assertEqual((self.logger.status().background, self.logger.status().next_try), (False, None))
        with Logger(self.path) as other, other._syncing._turn.taken(SOON):
            self.assertEqual((other.status().syncing, other.status().elsewhere), (True, False))
            self.assertEqual((self.logger.status().syncing, self.logger.status().elsewhere), (False, True))
        self.assertFalse(self.logger.status().elsewhere)

    def test_ephemeral(self) -> None:
        """What the server says of a stream is known here."""
        self.at("e").create({}, ephemeral=True)
        self.logger.addStream("e")
        self.logger.addStream("f", {}, ephemeral=True)
        notes = {name: stream.note for name, stream in self.logger.status().streams.items()}
        self.assertIsNotNone(notes["e"])
        self.assertEqual(notes["e"], notes["f"])
        self.assertNotEqual(notes["s"], notes["e"])
