"""Tests of `connectordb.logger.clocks`."""

from __future__ import annotations

import time
from unittest import skipIf

from connectordb.logger import clocks
from connectordb.logger.clocks import Eras
from tests.support.case import Case


@skipIf(clocks.boot_id() is None, "this system has no clock that counts from its start")
class ErasTests(Case):
    """An era lasts until the wall clock is set."""

    def setUp(self) -> None:
        super().setUp()
        self.begun: list[tuple[str, float]] = []
        self.eras = Eras(self.begin)

    def begin(self, boot: str, difference: float) -> int:
        self.begun.append((boot, difference))
        return len(self.begun)

    def test_steps(self) -> None:
        """The clock goes on: the same era. It jumps, forth or back: another, with the difference noted."""
        now = time.time()
        self.assertEqual([self.eras.at(now), self.eras.at(now + 0.5)], [1, 1])
        self.assertEqual([self.eras.at(now + 3600), self.eras.at(now + 3600.5)], [2, 2])
        self.assertEqual(self.eras.at(now - 10), 3)
        self.assertAlmostEqual(self.begun[1][1] - self.begun[0][1], 3600, delta=1)
        self.assertEqual({boot for boot, _ in self.begun}, {clocks.boot_id()})

    def test_unknown_boot(self) -> None:
        """Where nothing is known of the clock, era 0 says so."""
        self.eras._boot = None
        self.assertEqual(self.eras.at(time.time()), 0)
        self.assertEqual(self.begun, [])
