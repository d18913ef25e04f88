"""
Eras of the wall clock, told by its difference from a clock that nobody sets.

Each point is marked with its *era*, the stretch of time in which that difference stayed the same. If the wall clock
turns out to have been wrong, one number corrects all points of an era. The clock that nobody sets counts from
the boot of the machine, even while that sleeps; if a system has none, nothing can be corrected.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ...runtime.clock import SYSTEM, Clock

#: Seconds by which the difference has to change to count as a step of the wall clock: time servers also adjust it gradually.
STEP = 2.0


class Eras:
    """
    The present era.

    Args:
        begin: Called with a boot and a difference: finds the era, or notes that one has begun. Returns its number, and the
            difference that it has.
        clock: The clocks.
    """

    def __init__(self, begin: Callable[[str, float], tuple[int, float]], clock: Clock = SYSTEM) -> None:
        self._begin, self._clock = begin, clock
        boot, boot_id = clock.boot, clock.boot_id()
        self._boot = boot if boot is not None and boot_id is not None else None
        self._boot_id = boot_id or ""
        # the difference and the number, as one value, so that other threads never see one without the other
        self._present: tuple[float, int] = (math.nan, 0)

    def at(self, wall: float) -> int:
        """Return the number of the era in which the wall clock shows *wall* now; 0 if nothing is known of the clock."""
        if self._boot is None:
            return 0
        apart = wall - self._boot()
        usual, number = self._present
        if -STEP < apart - usual < STEP:  # never if that is NaN
            return number
        return self._look_up(self._boot)

    def _look_up(self, boot: Callable[[], float]) -> int:
        apart = self._apart(boot)
        usual, number = self._present
        if -STEP < apart - usual < STEP:  # no step: the caller was stopped for a while between reading the two clocks
            return number
        number, usual = self._begin(self._boot_id, apart)
        self._present = (usual, number)
        return number

    def _apart(self, boot: Callable[[], float]) -> float:
        """Return how far the clocks are apart, read at the same moment, with no stop of the process in between."""
        while True:
            before = boot()
            wall = self._clock.wall()
            if boot() - before < STEP / 2:
                return wall - before
