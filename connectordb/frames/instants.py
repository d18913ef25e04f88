"""
Seconds since 1970 as nanoseconds, which is what pandas and Arrow count, and back.

Both ways are exact for every time between 1971 and 2262: two floats that differ are further apart than a nanosecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import LocalProtocolError
from .extras import library

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SECOND = 1_000_000_000

#: Times that are computed at once: what a processor has at hand, and not as much memory again as all of them take.
_BLOCK = 16_384

#: Seconds whose nanoseconds are a 64-bit integer.
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


def to_seconds(nanoseconds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return seconds since 1970."""
    numpy = library("numpy", "a time")
    whole, rest = numpy.divmod(nanoseconds, _SECOND)
    seconds: NDArray[Any] = whole + rest / _SECOND
    return seconds
