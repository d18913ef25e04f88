"""Tests of `connectordb.logger.sync.periodic`."""

from __future__ import annotations

import queue
import threading

from connectordb.logger.sync.periodic import Periodic
from connectordb.runtime.clock import SYSTEM, Clock
from tests.support.case import MS, SOON, Case


class PeriodicTests(Case):
    """Something runs at once and then every period."""

    def setUp(self) -> None:
        super().setUp()
        self.runs = threading.Semaphore(0)
        self.period = 1000.0
        self.periodic = Periodic(self.run_once, lambda: self.period, SYSTEM)
        self.addCleanup(self.periodic.stop, SOON)

    def run_once(self, stopping: threading.Event) -> None:
        self.runs.release()

    def ran(self, within: float = SOON) -> bool:
        return self.runs.acquire(timeout=within)

    def test_at_once(self) -> None:
        """It runs when started, and not again before the period is over."""
        self.periodic.start()
        self.assertTrue(self.ran())
        self.assertFalse(self.ran(50 * MS))

    def test_another_period(self) -> None:
        """Another period counts from when it was said."""
        self.periodic.start()
        self.assertTrue(self.ran())
        self.period = 10 * MS
        self.periodic.changed()
        for _ in range(3):
            self.assertTrue(self.ran())

    def test_counts_from_then(self) -> None:
        """The whole of the new period passes from when it was said, also if it is a longer one."""
        waits: queue.Queue[float] = queue.Queue()

        class Watched(Clock):
            def wait(self, event: threading.Event, seconds: float) -> bool:
                waits.put(seconds)
                return super().wait(event, seconds)

        self.periodic = Periodic(self.run_once, lambda: self.period, Watched())
        self.addCleanup(self.periodic.stop, SOON)
        self.periodic.start()
        self.assertTrue(self.ran())
        for period in (1000.0, 5000.0, 20.0):
            self.assertEqual(waits.get(timeout=SOON), self.period)
            self.period = period
            self.periodic.changed()
        self.assertEqual(waits.get(timeout=SOON), 20.0)
        self.assertFalse(self.ran(0))

    def test_stop(self) -> None:
        """Stopping ends the waiting, and may be done twice."""
        self.periodic.start()
        self.assertTrue(self.ran())
        self.assertTrue(self.periodic.is_running)
        self.periodic.stop(SOON)
        self.periodic.stop(SOON)
        self.assertFalse(self.periodic.is_running)
