"""Times that increase strictly, by steps that survive the wire."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: The smallest step between times where a float can carry it: what other programs keep of a time.
_STEP = 1e-6


def later(t: float) -> float:
    """Return the next larger time that survives the wire."""
    return max(t + _STEP, math.nextafter(t, math.inf))


def in_order(times: Sequence[float], floor: float) -> list[float]:
    """Return *times*, which do not decrease, with those moved that are not above the one before, or *floor*."""
    moved = []
    for t in times:
        floor = t if t > floor else later(floor)
        moved.append(floor)
    return moved
