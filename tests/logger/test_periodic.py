"""Tests of `connectordb.logger.periodic`."""

from __future__ import annotations

import threading

from connectordb.logger.periodic import Periodic
from connectordb.runtime.clock import SYSTEM
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

    def test_stop(self) -> None:
        """Stopping ends the waiting, and may be done twice."""
        self.periodic.start()
        self.assertTrue(self.ran())
        self.assertTrue(self.periodic.is_running)
        self.periodic.stop(SOON)
        self.periodic.stop(SOON)
        self.assertFalse(self.periodic.is_running)
