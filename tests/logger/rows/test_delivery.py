"""Tests of `connectordb.logger.rows.delivery`, and of `Logger.flush`."""

from __future__ import annotations

import threading
import time

from connectordb.exceptions import ClosedError, LocalProtocolError
from connectordb.logger import Logger
from connectordb.logger.rows.delivery import Goal
from connectordb.logger.rows.store import Store
from tests.support.case import MS, SOON, Case
from tests.support.logger_cases import NOWHERE, OpenCase, add, noted, waiting


class GoalTests(Case):
    """What waited is followed until it waits no more."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.stream = add(self.store, "a")

    def log(self, *times: float) -> None:
        self.store.points.append_many({self.stream: [(t, "1") for t in times]}, 0.0)

    def goal(self) -> Goal:
        return Goal(self.store._file, self.store.points.newest())

    def test_reached(self) -> None:
        """It is reached when all of them are gone, whatever came later."""
        self.assertTrue(self.goal().is_reached)
        self.log(1.0, 2.0, 3.0)
        goal = self.goal()
        self.log(4.0)
        ids = [row.id for row in waiting(self.store, self.stream)]
        self.store.notes.resolve(self.stream, ids[:1], ids[1:2], "refused")
        self.assertFalse(goal.is_reached)
        self.store.notes.resolve(self.stream, ids[2:3])
        self.assertTrue(goal.is_reached)

    def test_moved(self) -> None:
        """If an earlier point comes in between, they wait under other ids."""
        self.log(1.0, 5.0)
        goal = self.goal()
        self.log(2.0)
        rows = waiting(self.store, self.stream)
        self.store.notes.resolve(self.stream, [row.id for row in rows[:2]])
        self.assertFalse(goal.is_reached)
        self.log(3.0)
        rows = waiting(self.store, self.stream)
        self.store.notes.resolve(self.stream, [rows[0].id])
        self.assertFalse(goal.is_reached)
        self.store.notes.resolve(self.stream, [rows[1].id])
        self.assertTrue(goal.is_reached)

    def test_held(self) -> None:
        """What was confirmed and is held does not wait."""
        self.log(1.0)
        goal = self.goal()
        rows = waiting(self.store, self.stream)
        self.store.held.hold(noted(self.stream, rows), rows[0].id)
        self.assertTrue(goal.is_reached)


class FlushTests(OpenCase):
    """`flush` brings what waits to the server, or says that it could not."""

    def setUp(self) -> None:
        super().setUp()
        self.new_stream()
        self.logger = self.open()
        self.logger.addStream("s")

    def delivery_threads(self) -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "connectordb-logger-delivery"]

    def test_done(self) -> None:
        """All that waits arrives; with nothing waiting there is nothing to do."""
        self.assertTrue(self.logger.flush(SOON))
        for n in range(5):
            self.logger.insert("s", n)
        synced: list[int] = []
        self.logger.onsync = lambda: synced.append(len(self.logger))
        self.assertTrue(self.logger.flush(SOON))
        self.assertEqual((self.stored(), synced), (list(range(5)), [0]))
        self.assertTrue(self.logger.status().synced)
        self.eventually(lambda: not self.delivery_threads(), "its thread ends")

    def test_again(self) -> None:
        """Failures are tried again, and told."""
        failed = threading.Event()
        self.logger.onsyncfail = lambda error: failed.set()
        self.logger.serverurl = NOWHERE
        self.logger.insert("s", 1)
        done: list[bool] = []
        thread = threading.Thread(target=lambda: done.append(self.logger.flush(SOON)))
        thread.start()
        self.wait(failed, "a failure")
        self.logger.serverurl = self.proxy.url
        thread.join(SOON)
        self.assertEqual((done, self.stored()), ([True], [1]))

    def test_no_server(self) -> None:
        """Without a server it returns when the time is up, and goes on when there is one."""
        self.logger.serverurl = NOWHERE
        self.logger.insert("s", 1)
        before = time.monotonic()
        self.assertFalse(self.logger.flush(100 * MS))
        self.assertLess(time.monotonic() - before, 5000 * MS)
        self.assertFalse(self.logger.flush(0))
        self.logger.serverurl = self.proxy.url
        self.assertTrue(self.logger.flush(SOON))

    def test_silent_server(self) -> None:
        """A server that does not answer holds nobody longer than he wanted to wait."""
        silent, reached = threading.Event(), threading.Event()
        self.addCleanup(silent.set)
        self.proxy.on_request = lambda line: (reached.set(), silent.wait(SOON))[0]
        self.logger.insert("s", 1)
        before = time.monotonic()
        self.assertFalse(self.logger.flush(300 * MS))
        self.assertLess(time.monotonic() - before, 5000 * MS)
        self.assertTrue(reached.is_set())
        silent.set()
        self.proxy.on_request = lambda line: None
        self.assertTrue(self.logger.flush(SOON))
        self.assertEqual(self.stored(), [1])

    def test_wrong_key(self) -> None:
        """A key that is refused is not tried again and again."""
        self.logger.insert("s", 1)
        self.logger.apikey = "wrong"
        before = time.monotonic()
        self.assertFalse(self.logger.flush(SOON))
        self.assertLess(time.monotonic() - before, 5000 * MS)

    def test_set_aside(self) -> None:
        """What the server refuses is set aside, which is as good."""
        self.at("n").create({"type": "number"})
        self.logger.addStream_force("n")
        self.logger.insert("n", "text")
        self.assertTrue(self.logger.flush(SOON))
        self.assertEqual(len(self.logger.rejected()), 1)

    def test_beside_the_background(self) -> None:
        """The background, and other processes, may do it as well."""
        self.logger.start()
        for n in range(3):
            self.logger.insert("s", n)
            self.assertTrue(self.logger.flush(SOON))
        with Logger(self.path) as other, other._syncing._turn.taken(SOON):
            self.logger.insert("s", 3)
            self.assertFalse(self.logger.flush(50 * MS))
        self.assertTrue(self.logger.flush(SOON))
        self.assertEqual(self.stored(), list(range(4)))

    def test_many_at_once(self) -> None:
        """Any number of threads may wait."""
        done: list[bool] = []

        def work(number: int) -> None:
            self.logger.insert("s", number)
            done.append(self.logger.flush(SOON))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON)
        self.assertEqual((done, sorted(self.stored())), ([True] * 6, list(range(6))))

    def test_closed(self) -> None:
        """Closing ends it; afterwards it is refused."""
        self.logger.serverurl = NOWHERE
        self.logger.insert("s", 1)
        ended: list[object] = []

        def work() -> None:
            try:
                ended.append(self.logger.flush(SOON))
            except ClosedError as error:
                ended.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        self.eventually(self.delivery_threads, "it began")
        self.logger.close()
        thread.join(SOON)
        self.assertTrue(ended[0] is False or isinstance(ended[0], ClosedError), ended)
        with self.assertRaises(ClosedError):
            self.logger.flush(1)

    def test_bad(self) -> None:
        """A time that is none is refused."""
        for bad in (-1, "5", True, float("nan"), None):
            with self.assertRaises(LocalProtocolError):
                self.logger.flush(bad)  # type: ignore[arg-type]
