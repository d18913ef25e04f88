"""Work handed to threads."""

from __future__ import annotations

import threading
import time

from connectordb.exceptions import ClosedError, StorageError
from connectordb.server.storage.jobs import Jobs

from ...support.case import MS, Case


class Queue(Case):
    """Whatever is handed in comes out, or fails."""

    def setUp(self) -> None:
        super().setUp()
        self.jobs: Jobs[int] = Jobs("the queue")

    def test_in_order(self) -> None:
        """Jobs are taken in order, and have their result when they are finished."""
        futures = [self.jobs.put(lambda given, n=n: given + n) for n in range(3)]
        for n, future in enumerate(futures):
            job = self.jobs.take(0)
            assert job is not None
            self.assertTrue(job.begin())
            job.run(10)
            self.assertFalse(future.done())
            job.finish()
            self.assertEqual(future.result(0), 10 + n)
        self.assertIsNone(self.jobs.take(0))

    def test_error(self) -> None:
        """A job that is to fail fails when it is finished."""
        future = self.jobs.put(lambda given: given)
        job = self.jobs.take(0)
        assert job is not None and job.begin()
        job.keep(KeyError("x"))
        self.assertTrue(job.failed)
        job.finish()
        with self.assertRaises(KeyError):
            future.result(0)

    def test_cancelled(self) -> None:
        """A cancelled job says that nobody wants it."""
        future = self.jobs.put(lambda given: given)
        future.cancel()
        job = self.jobs.take(0)
        assert job is not None
        self.assertFalse(job.begin())

    def test_waiting(self) -> None:
        """A thread that waits is woken by work, and by the end."""
        taken = []

        def take() -> None:
            while not self.jobs.ended:
                taken.append(self.jobs.take(10))

        thread = threading.Thread(target=take, name="connectordb-test")
        thread.start()
        started = time.monotonic()
        self.jobs.put(lambda given: given)
        self.eventually(lambda: taken)
        self.jobs.close()
        thread.join(10)
        self.assertFalse(thread.is_alive())
        self.assertLess(time.monotonic() - started, 5000 * MS)

    def test_close(self) -> None:
        """After closing, what is there is still taken, and nothing new."""
        self.jobs.put(lambda given: given)
        self.jobs.close()
        with self.assertRaisesRegex(ClosedError, "the queue is closed"):
            self.jobs.put(lambda given: given)
        self.assertFalse(self.jobs.ended)
        self.assertIsNotNone(self.jobs.take(0))
        self.assertTrue(self.jobs.ended)
        self.assertIsNone(self.jobs.take(10))

    def test_abandon(self) -> None:
        """When nobody is left to do it, all work fails, what is there and what comes."""
        cancelled = self.jobs.put(lambda given: given)
        cancelled.cancel()
        before = self.jobs.put(lambda given: given)
        self.jobs.abandon(StorageError("broken"))
        after = self.jobs.put(lambda given: given)
        for future in (before, after):
            with self.assertRaisesRegex(StorageError, "broken"):
                future.result(0)
        self.assertTrue(self.jobs.ended)
