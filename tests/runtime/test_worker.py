"""One named thread."""

from __future__ import annotations

import asyncio
import threading

from connectordb.runtime.worker import Worker

from ..support.case import Case
from ..support.interrupts import interrupted_start


class Living(Case):
    """A worker starts, ends, and may start again."""

    def setUp(self) -> None:
        super().setUp()
        self.runs: list[str] = []
        self.running = threading.Event()

    def work(self, stopping: threading.Event) -> None:
        """Say that it runs, and wait for the end."""
        self.runs.append(threading.current_thread().name)
        self.running.set()
        stopping.wait(10)

    def test_twice(self) -> None:
        """Starting and stopping twice does nothing more; it may be started again."""
        worker = Worker("test", self.work)
        self.assertFalse(worker.is_running)
        self.assertTrue(worker.start())
        self.assertFalse(worker.start())
        self.wait(self.running)
        self.assertTrue(worker.is_running)
        worker.stop()
        worker.stop()
        self.assertTrue(worker.join(5))
        self.assertFalse(worker.is_running)
        self.running.clear()
        self.assertTrue(worker.start())
        self.wait(self.running)
        worker.stop()
        self.assertTrue(worker.join(5))
        self.assertEqual(self.runs, ["connectordb-test"] * 2)

    def test_never_started(self) -> None:
        """What was never started is stopped and joined at once."""
        worker = Worker("test", self.work)
        worker.stop()
        self.assertTrue(worker.join(0))

    def test_interrupted(self) -> None:
        """If starting it is interrupted, or there is no thread, nothing runs; it may be started again."""
        worker = Worker("test", self.work)
        for begins in (False, True):
            with self.subTest(begins=begins), interrupted_start(begins), self.assertRaises(KeyboardInterrupt):
                worker.start()
            self.assertFalse(worker.is_running)
            worker.stop()
            self.assertTrue(worker.join(0))
        self.assertTrue(worker.start())
        self.wait(self.running)
        worker.stop()
        self.assertTrue(worker.join(5))
        self.assertEqual(self.runs, ["connectordb-test"])

    def test_join_says_when_time_ran_out(self) -> None:
        """A join that ran out says so and is logged."""
        release = threading.Event()
        worker = Worker("stubborn", lambda stopping: release.wait(10) and None)
        worker.start()
        worker.stop()
        with self.assertLogs("connectordb.runtime.worker", "WARNING"):
            self.assertFalse(worker.join(0.01))
        release.set()
        self.assertTrue(worker.join(5))

    def test_joining_oneself(self) -> None:
        """A worker that joins itself does not wait for ever."""
        joined = threading.Event()

        def run(stopping: threading.Event) -> None:
            worker.stop()
            if worker.join(None):
                joined.set()

        worker = Worker("self", run)
        worker.start()
        self.wait(joined)
        self.assertTrue(worker.join(5))

    def test_crash(self) -> None:
        """An error that leaves the function is logged and told."""
        told: list[BaseException] = []
        error = RuntimeError("boom")

        def run(stopping: threading.Event) -> None:
            raise error

        worker = Worker("crash", run, told.append)
        with self.assertLogs("connectordb.runtime.worker", "ERROR"):
            worker.start()
            self.assertTrue(worker.join(5))
            self.eventually(lambda: told)
        self.assertEqual(told, [error])
        self.assertFalse(worker.is_running)

    def test_cancelled(self) -> None:
        """So is that of a cancelled task, which is no Exception."""
        told: list[BaseException] = []

        def run(stopping: threading.Event) -> None:
            raise asyncio.CancelledError

        worker = Worker("cancelled", run, told.append)
        with self.assertLogs("connectordb.runtime.worker", "ERROR"):
            worker.start()
            self.assertTrue(worker.join(5))
        self.assertEqual(len(told), 1)
