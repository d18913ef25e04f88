"""Tests of `connectordb.logger.clocks.eras`."""

from __future__ import annotations

import time
from unittest import skipIf

from connectordb.logger.clocks.eras import STEP, Eras
from connectordb.runtime.clock import SYSTEM, Clock
from tests.support.case import Case
from tests.support.clock import SteppedClock


class ErasTests(Case):
    """An era lasts until the wall clock is set."""

    def setUp(self) -> None:
        super().setUp()
        self.begun: list[tuple[str, float]] = []
        self.clock = SteppedClock()
        self.eras = Eras(self.begin, self.clock)

    def begin(self, boot: str, difference: float) -> tuple[int, float]:
        self.begun.append((boot, difference))
        return len(self.begun), difference

    def at(self) -> int:
        return self.eras.at(self.clock.wall())

    def test_steps(self) -> None:
        """The clock goes on: the same era. It jumps, forth or back: another, with the difference noted."""
        eras = [self.at()]
        self.clock.advance(1e6)
        self.clock.step(STEP * 0.9)
        eras.append(self.at())
        self.clock.step(3600)
        eras += [self.at(), self.at()]
        self.clock.step(-3610)
        eras.append(self.at())
        self.assertEqual(eras, [1, 1, 2, 2, 3])
        self.assertAlmostEqual(self.begun[1][1] - self.begun[0][1], 3600 + STEP * 0.9, delta=1e-3)
        self.assertEqual({boot for boot, _ in self.begun}, {self.clock.boot_id()})

    def test_sleep(self) -> None:
        """A machine that slept has had no step of its clock."""
        before = self.at()
        self.clock.sleep(8 * 3600)
        self.assertEqual(self.at(), before)

    def test_stopped(self) -> None:
        """A process that is stopped after it has read one clock, and before it reads the other, sees no step of either."""
        since_boot = self.clock.boot
        assert since_boot is not None
        pauses = [0.0]

        def stopped_before() -> float:
            self.clock.advance(pauses.pop() if pauses else 0.0)
            return since_boot()

        self.eras = Eras(self.begin, self.clock)
        self.eras._boot = stopped_before
        before = self.at()
        for number, expected in (([3600.0], before), ([3600.0, 0.0, 3600.0], before)):
            pauses[:] = number[::-1]
            self.assertEqual(self.at(), expected)
        self.clock.step(3600)
        pauses[:] = [1000.0]
        self.assertEqual(self.at(), before + 1)
        self.assertAlmostEqual(self.begun[1][1] - self.begun[0][1], 3600, delta=1e-3)

    def test_many_small_steps(self) -> None:
        """What counts is how far the clock is from where the era began: small steps do not add up unseen."""
        eras = []
        for _ in range(4):
            eras.append(self.at())
            self.clock.step(STEP * 0.6)
        self.assertEqual(eras, [1, 1, 2, 2])

    def test_known_era(self) -> None:
        """An era that was found reaches as far as its own difference says, not ours."""
        eras = Eras(lambda boot, difference: (7, difference - 1.5), self.clock)
        self.assertEqual(eras.at(self.clock.wall()), 7)
        self.clock.step(1)
        begun: list[float] = []
        eras._begin = lambda boot, difference: (8, begun.append(difference) or difference)
        self.assertEqual(eras.at(self.clock.wall()), 8)
        self.assertEqual(len(begun), 1)

    def test_no_such_clock(self) -> None:
        """Where nothing is known of the clock, or of the boot, era 0 says so."""
        self.clock.boot = None  # type: ignore[assignment]
        self.assertEqual(Eras(self.begin, self.clock).at(time.time()), 0)

        class Nameless(Clock):
            def boot_id(self) -> str | None:
                return None

        self.assertEqual(Eras(self.begin, Nameless()).at(time.time()), 0)
        self.assertEqual(self.begun, [])

    @skipIf(SYSTEM.boot is None or SYSTEM.boot_id() is None, "this system has no clock that counts from its start")
    def test_the_machine(self) -> None:
        """This machine's clocks go together."""
        eras = Eras(self.begin)
        self.assertEqual([eras.at(time.time()), eras.at(time.time())], [1, 1])
