"""Times that strictly increase, by steps large enough to survive the wire."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: The step between two times, where a float can carry it: other programs keep microseconds.
_STEP = 1e-6


def later(t: float) -> float:
    """Return the next larger time that survives the wire."""
    return max(t + _STEP, math.nextafter(t, math.inf))


def in_order(times: Sequence[float], floor: float) -> list[float]:
    """Return *times*, which do not decrease, with each moved up that is not above the one before it, or above *floor*."""
    moved = []
    for t in times:
        floor = t if t > floor else later(floor)
        moved.append(floor)
    return moved
