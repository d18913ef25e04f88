"""
What the wall clock is worth: by how much it differs from a clock that nobody sets.

Each point is marked with the stretch of time, an *era*, in which that difference stayed the same. When the wall clock
turns out to have been wrong, the points of an era can all be corrected by one number. The clock that nobody sets counts from
the boot of the machine and runs while it sleeps; where a system has none, nothing can be corrected.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

#: Seconds by which the difference changes before that counts as a step of the wall clock; time servers also slew.
STEP = 2.0

_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_seconds() -> float:
    """Return seconds since the machine started, those in which it slept included."""
    assert _BOOT_CLOCK is not None
    return time.clock_gettime(_BOOT_CLOCK)


def boot_id() -> str | None:
    """Return the name of this start of the machine; ``None`` where the system has no name or no such clock."""
    try:
        return _BOOT_ID.read_text().strip() if _BOOT_CLOCK is not None else None
    except OSError:
        return None


class Eras:
    """
    The present era.

    Args:
        begin: Notes that one began: of which boot, and by how much the clocks differ; returns its number.
    """

    def __init__(self, begin: Callable[[str, float], int]) -> None:
        self._begin = begin
        self._boot = boot_id()
        # one value, so that threads see both or neither: how far the clocks are apart, and the number
        self._present: tuple[float, int] | None = None

    def at(self, wall: float) -> int:
        """Return the number of the era in which the wall clock says *wall*; 0 if nothing is known of the clock."""
        if self._boot is None:
            return 0
        difference = wall - boot_seconds()
        present = self._present
        if present is None or not -STEP < difference - present[0] < STEP:
            present = self._present = (difference, self._begin(self._boot, difference))
        return present[1]
