"""
What the wall clock is worth: by how much it differs from a clock that nobody sets.

Each point is marked with the stretch of time, an *era*, in which that difference stayed the same. When the wall clock
turns out to have been wrong, the points of an era can all be corrected by one number. The clock that nobody sets counts from
the boot of the machine and runs while it sleeps; where a system has none, nothing can be corrected.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ...runtime.clock import SYSTEM, Clock

#: Seconds by which the difference changes before that counts as a step of the wall clock; time servers also slew.
STEP = 2.0


class Eras:
    """
    The present era.

    Args:
        begin: Finds the era of a boot in which the clocks differ by so much, or notes that one began; returns its number,
            and by how much they differ in it.
        clock: The clocks.
    """

    def __init__(self, begin: Callable[[str, float], tuple[int, float]], clock: Clock = SYSTEM) -> None:
        self._begin, self._clock = begin, clock
        boot, boot_id = clock.boot, clock.boot_id()
        self._boot = boot if boot is not None and boot_id is not None else None
        self._boot_id = boot_id or ""
        # one value, so that threads see both or neither: how far the clocks are apart, and the number
        self._present: tuple[float, int] = (math.nan, 0)

    def at(self, wall: float) -> int:
        """Return the number of the era in which the wall clock says *wall*; 0 if nothing is known of the clock."""
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
        if -STEP < apart - usual < STEP:  # no step: whoever asks was stopped before the other clock was read
            return number
        number, usual = self._begin(self._boot_id, apart)
        self._present = (usual, number)
        return number

    def _apart(self, boot: Callable[[], float]) -> float:
        """Return how far the clocks are apart, both read in one moment, and not before and after a process was stopped."""
        while True:
            before = boot()
            wall = self._clock.wall()
            if boot() - before < STEP / 2:
                return wall - before
