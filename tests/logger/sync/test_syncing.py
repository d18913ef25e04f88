"""Tests of `connectordb.logger.sync.syncing`."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from unittest import mock

from connectordb.exceptions import AuthenticationError, ConnectionFailed, ConnectorDBError
from connectordb.logger import Logger
from connectordb.logger.sync import syncing
from tests.support.case import MS, SOON
from tests.support.fault_proxy import Fault
from tests.support.logger_cases import NOWHERE, WAIT, OpenCase


class SyncTests(OpenCase):
    """`sync` sends, or says why not."""

    def setUp(self) -> None:
        super().setUp()
        self.new_stream()
        self.logger = self.open()
        self.logger.addStream("s")

    def test_sync(self) -> None:
        """What waits arrives, with its times; `onsync` and `lastsynctime` tell."""
        synced: list[int] = []
        self.logger.onsync = lambda: synced.append(len(self.logger))
        before = time.time()
        self.logger.insert("s", 1)
        self.logger.sync()
        (point,) = self.at("s")[:]
        self.assertTrue(before <= point["t"] <= time.time())
        self.assertEqual((point["d"], synced), (1, [0]))
        self.assertTrue(before <= self.logger.lastsynctime <= time.time())

    def test_failure(self) -> None:
        """A failure is logged and returns; it is raised for `syncraise`, or if `onsyncfail` says so."""
        self.logger.serverurl = NOWHERE
        self.logger.insert("s", 1)
        errors: list[Exception] = []
        with self.assertLogs("connectordb.logger", "WARNING"):
            self.logger.sync()
        self.logger.syncraise = True
        with self.assertRaises(ConnectionFailed):
            self.logger.sync()
        self.logger.onsyncfail = errors.append
        self.logger.sync()
        self.assertIsInstance(errors[0], ConnectionFailed)
        self.logger.onsyncfail = lambda error: True
        self.logger.syncraise = False
        with self.assertRaises(ConnectionFailed):
            self.logger.sync()
        self.assertEqual((len(self.logger), self.logger.lastsynctime), (1, 0))

    def test_another_process_sets_the_key(self) -> None:
        """A key or an address that another process puts into the file counts from the next pass on."""
        owner = self.administrator(self.room)
        owner.reset_apikey()
        self.logger.insert("s", 1)
        with self.assertLogs("connectordb.logger", "WARNING"):
            self.logger.sync()
        with Logger(self.path) as other:
            other.apikey, other.serverurl = owner.apikey, self.proxy.url
        self.logger.sync()
        self.assertEqual(
            (self.stored(), self.logger.apikey, self.logger.serverurl), ([1], owner.apikey, self.proxy.url)
        )

    def test_when_it_raises(self) -> None:
        """It raises if `onsyncfail` is set and answers true, or if there is none and `syncraise` is set; else never."""
        self.logger.serverurl = NOWHERE
        self.logger.insert("s", 1)
        for answer, syncraise in itertools.product(("unset", None, False, 0, True, 1, "yes"), (False, True)):
            self.logger.onsyncfail = None if answer == "unset" else lambda error, answer=answer: answer  # type: ignore[misc]
            self.logger.syncraise = syncraise
            with self.subTest(answer=answer, syncraise=syncraise), self.assertLogs("connectordb.logger", "WARNING"):
                if syncraise if answer == "unset" else answer:
                    with self.assertRaises(ConnectionFailed):
                        self.logger.sync()
                else:
                    self.logger.sync()
        self.assertEqual(len(self.logger), 1)

    def test_onsync_after_success_only(self) -> None:
        """`onsync` is called after each sync that went well, also of nothing, and not after a failed one."""
        synced: list[float] = []
        self.logger.onsync = lambda: synced.append(self.logger.lastsynctime)
        self.logger.sync()
        self.assertEqual(len(synced), 1)
        self.logger.serverurl = NOWHERE
        self.logger.insert("s", 1)
        with self.assertLogs("connectordb.logger", "WARNING"):
            self.logger.sync()
        self.assertEqual(len(synced), 1)
        self.logger.serverurl = self.proxy.url
        self.logger.sync()
        self.assertEqual(len(synced), 2)
        self.logger.close()
        with Logger(self.path) as logger:
            self.assertEqual(logger.lastsynctime, synced[1])

    def test_one_stream_fails(self) -> None:
        """If one stream is gone the others are served, and the sync counts as failed."""
        errors: list[Exception] = []
        self.logger.onsyncfail = errors.append
        self.logger.addStream_force("gone")
        self.logger.insert("gone", 1)
        self.logger.insert("s", 2)
        self.logger.sync()
        self.assertEqual((self.stored(), len(self.logger), len(errors)), ([2], 1, 1))
        self.assertIsInstance(errors[0], ConnectorDBError)

    def test_faults(self) -> None:
        """A lost answer is settled through the Logger's own connection."""
        for n, fault in enumerate((Fault.NO_ANSWER, Fault.LOST, Fault.ERROR)):
            self.logger.insert("s", n)
            self.proxy.script(fault)
            self.logger.sync()
        self.assertEqual(self.stored(), [0, 1, 2])

    def test_two_at_once(self) -> None:
        """Two threads, and another process's file lock, take turns at syncing."""
        with Logger(self.path) as other:
            other._syncing.patience = WAIT
            for n in range(20):
                (self.logger if n % 2 else other).insert("s", n)
            threads = [threading.Thread(target=which.sync) for which in (self.logger, other, self.logger, other)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(SOON)
        self.assertEqual(sorted(self.stored()), list(range(20)))
        self.assertEqual(len(self.logger), 0)


class BackgroundTests(OpenCase):
    """`start` syncs at once and then every period, on a thread of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.new_stream()
        self.logger = self.open()
        self.logger.addStream("s")
        self.synced = threading.Event()
        self.logger.onsync = self.synced.set

    def test_pauses(self) -> None:
        """After many failures a pause is some periods long, a minute or the period at most; a first one is a few seconds."""
        for period, longest in ((0.5, 2.5), (30.0, 60.0), (600.0, 600.0)):
            self.logger.syncperiod = period
            for failures, bound in ((0, period), (1, min(period, 5.0)), (99, longest)):
                with self.subTest(period=period, failures=failures):
                    self.logger._syncing._failures = failures
                    pause = self.logger._syncing._seconds_to_wait(ConnectionFailed("away"))
                    self.assertTrue(bound / 2 <= pause <= bound, pause)

    def test_start(self) -> None:
        """The first sync is at once, the next after the period, which counts from when it was assigned."""
        self.logger.insert("s", 1)
        self.logger.start()
        self.wait(self.synced, "the first sync")
        self.assertEqual(self.stored(), [1])
        self.synced.clear()
        self.logger.insert("s", 2)
        self.logger.syncperiod = 30 * MS
        self.wait(self.synced, "the second sync")
        self.logger.stop()
        self.assertEqual(self.stored(), [1, 2])

    def test_thread(self) -> None:
        """There is one thread, which stop ends; it may be started again."""
        names = [thread.name for thread in threading.enumerate()]
        self.assertNotIn("connectordb-logger", names)
        for _ in range(2):
            self.logger.start()
            self.assertIn("connectordb-logger", [thread.name for thread in threading.enumerate()])
            self.logger.stop()
            self.logger.stop()
            self.assertNotIn("connectordb-logger", [thread.name for thread in threading.enumerate()])

    def test_close_in_the_midst(self) -> None:
        """A request that is not answered is left before long; what became of it is for the next pass to find out."""
        asked, go_on = threading.Event(), threading.Event()

        def hold(line: str) -> None:
            if line.startswith("POST"):
                asked.set()
                go_on.wait(SOON)

        self.addCleanup(go_on.set)
        logger = self.open()
        logger.addStream("s", {})
        logger.insert("s", 1)
        self.proxy.on_request = hold
        with mock.patch.object(syncing, "_GRACE", 50 * MS):
            logger.start()
            self.wait(asked)
            with self.assertLogs("connectordb.runtime.worker", "WARNING") as told:
                logger.close()
        self.assertEqual(len(told.output), 1)  # it has ended with its request
        self.proxy.on_request = None
        go_on.set()
        self.proxy.settle()
        again = self.open()
        again.sync()
        self.assertEqual((self.stored(), len(again)), ([1], 0))

    def test_start_twice(self) -> None:
        """A second start warns and does nothing."""
        self.logger.start()
        with self.assertLogs("connectordb.logger", "WARNING") as logged:
            self.logger.start()
        self.assertIn("already", logged.output[0])

    def test_start_does_not_wait(self) -> None:
        """With a server that does not answer, start returns at once, and close ends the thread."""
        silent = threading.Event()
        reached = threading.Event()
        self.proxy.on_request = lambda line: (reached.set(), silent.wait(SOON))[0]
        self.logger.insert("s", 1)
        before = time.monotonic()
        self.logger.start()
        self.assertLess(time.monotonic() - before, SOON / 2)
        self.wait(reached, "a request")
        self.logger.insert("s", 2)  # inserting does not wait either
        silent.set()

    def test_failures(self) -> None:
        """A first failure goes to onsyncfail; the thread goes on, whatever that returns or raises, and delivers later."""
        failed = threading.Event()

        def fail(error: Exception) -> bool:
            failed.set()
            raise RuntimeError("my own mistake")

        self.logger.onsyncfail = fail
        self.logger.serverurl = NOWHERE
        self.logger.syncperiod = 20 * MS
        self.logger.insert("s", 1)
        with self.assertLogs("connectordb.logger", "WARNING"):
            self.logger.start()
            self.wait(failed, "a failure")
            self.logger.serverurl = self.proxy.url
            self.eventually(lambda: len(self.logger) == 0, "the point was sent")
        self.assertEqual(self.stored(), [1])

    def test_another_key(self) -> None:
        """A stream that was refused, and would be tried rarely, is tried at once with another key."""
        failed = threading.Event()
        self.logger.onsyncfail = lambda error: failed.set()
        self.at("s").delete()
        self.logger.insert("s", 1)
        with self.assertLogs("connectordb.logger", "WARNING"):
            self.logger.start()
            self.wait(failed, "a refusal")
        self.new_stream()
        self.logger.apikey = self.key
        self.eventually(lambda: len(self.logger) == 0, "the point was sent")

    def test_key_not_there_yet(self) -> None:
        """A key that is refused is tried again soon at first: its device may be made after the server appeared."""
        failures = threading.Semaphore(0)
        self.logger.onsyncfail = lambda error: failures.release()
        self.logger.serverurl = NOWHERE
        self.logger.apikey = key = str(uuid.uuid4())
        self.logger.syncperiod = 10 * MS
        self.logger.insert("s", 1)
        with self.assertLogs("connectordb.logger", "WARNING"):
            self.logger.start()
            for _ in range(3):
                self.assertTrue(failures.acquire(timeout=SOON))
            self.logger.serverurl = self.proxy.url
            for _ in range(3):
                self.assertTrue(failures.acquire(timeout=SOON))
            self.administrator(self.room).set({"apikey": key})
            self.eventually(lambda: len(self.logger) == 0, "the point was sent")

    def test_pauses_of_a_refused_key(self) -> None:
        """They begin anew where there was no server before, and grow to ten minutes, or the period if it is longer."""
        refused = AuthenticationError("Login Failed", status=401)
        for period, longest in ((0.5, 600.0), (3600.0, 3600.0)):
            self.logger.syncperiod = period
            with self.subTest(period=period), self.assertLogs("connectordb.logger", "WARNING"):
                for _ in range(20):
                    self.logger._syncing._failed(ConnectionFailed("away"))
                self.logger._syncing._failed(refused)
                self.assertLessEqual(self.logger._syncing._pause, min(period, 5.0))
                for _ in range(20):
                    self.logger._syncing._failed(refused)
                self.assertTrue(longest / 2 <= self.logger._syncing._pause <= longest)

    def test_others_sync(self) -> None:
        """While another process syncs the file, the background counts that as no failure."""
        failed = threading.Event()
        self.logger.onsyncfail = lambda error: failed.set()
        self.logger.syncperiod = 5 * MS
        with Logger(self.path) as other, other._syncing._turn.taken(SOON):
            self.logger.start()
            self.assertFalse(failed.wait(100 * MS))

    def test_points_at_the_start(self) -> None:
        """The first sync sends the points that were there when start was called."""
        self.logger.insert("s", 1)
        self.proxy.on_request = lambda line: self.logger.insert("s", 2) if line.startswith("POST") else None
        self.logger.start()
        self.wait(self.synced, "a sync")
        self.assertEqual(self.stored(), [1])
        self.assertEqual(len(self.logger), 1)
