"""
Converts seconds since 1970 to nanoseconds, in which pandas and Arrow count, and back.

Every time between 1971 and 2262 survives both ways unchanged, as neighbouring floats are further apart than a nanosecond there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import LocalProtocolError
from .extras import library

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SECOND = 1_000_000_000

#: The units in which pandas and Arrow count the times of others, and how many of each a second has.
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": _SECOND}

#: How many times are computed at once: few enough for the processor's cache, and to need little memory besides the result.
_BLOCK = 16_384

#: The most seconds whose nanoseconds fit into a 64-bit integer.
_MOST = 9_223_372_036


def to_nanoseconds(times: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    Return nanoseconds since 1970.

    Raises:
        LocalProtocolError: A time is outside of the years 1677 to 2262.
    """
    numpy = library("numpy", "a time")
    nanoseconds: NDArray[Any] = numpy.empty(len(times), numpy.int64)
    for begin in range(0, len(times), _BLOCK):
        part = times[begin : begin + _BLOCK]
        outside = numpy.abs(part) >= _MOST
        if outside.any():
            raise LocalProtocolError(
                f"t={float(part[outside][0])!r} is outside of the years 1677 to 2262, which are all that a frame can hold; "
                "to_numpy() has seconds"
            )
        whole = numpy.floor(part)
        fraction = numpy.rint((part - whole) * _SECOND)
        nanoseconds[begin : begin + _BLOCK] = whole.astype(numpy.int64) * _SECOND + fraction.astype(numpy.int64)
    return nanoseconds


def to_seconds(counts: NDArray[np.int64], unit: str = "ns") -> NDArray[np.float64]:
    """
    Return seconds since 1970.

    Args:
        counts: How many of the unit have passed since then. They are not converted to nanoseconds first, as those of the year 9000
            do not fit into 64 bits.
        unit: ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``.
    """
    numpy = library("numpy", "a time")
    whole, rest = numpy.divmod(counts, _UNITS[unit])
    seconds: NDArray[Any] = whole + rest / _UNITS[unit]
    return seconds
