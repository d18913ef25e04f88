"""From any range of points to a range of indices, which can be read in pages, and each page again after a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..exceptions import AuthenticationError
from . import refusals, rest
from .paths import Path
from .points import Datapoint

if TYPE_CHECKING:
    from .restamp import Call


def span(call: Call, path: Path, fields: dict[str, Any]) -> tuple[int, int]:
    """
    Return the index of a range's first point, and the one after its last point; the two are equal if it holds none.

    Args:
        call: Sends a request to the server.
        path: The stream, or downlink.
        fields: `ranges.Range.fields`.

    Calls: ``GET crud/<path>/data?q=length``; and for each of ``t1`` and ``t2`` about twenty reads of single points.
    """
    length = call(rest.length(path))
    first, last = _bound(fields.get("i1", 0), length), _bound(fields.get("i2", 0) or length, length)
    if fields.get("t1", 0.0) > 0:
        first = index_after(call, path, fields["t1"], length)
    if fields.get("t2", 0.0) > 0:
        last = index_after(call, path, fields["t2"], length)
    if limit := fields.get("limit", 0):
        last = min(last, first + limit)
    return first, max(first, last)


def index_after(call: Call, path: Path, t: float, length: int) -> int:
    """
    Return the index of the first of *length* points that is later than *t*; *length* if none is.

    It searches by halving. An original server could be asked directly, but leaks a connection to its database each time.
    """
    low, high = 0, length
    while low < high:
        middle = (low + high) // 2
        found = points_between(call, path, middle, middle + 1)
        if found and found[0].get("t", 0.0) <= t:
            low = middle + 1
        else:
            high = middle
    return low


def points_between(
    call: Callable[[rest.Request[list[Datapoint]]], list[Datapoint]], path: Path, i1: int, i2: int
) -> list[Datapoint] | None:
    """Return the points from *i1* to before *i2*, or as many of them as there are; ``None`` if the stream ends before *i1*."""
    try:
        return call(rest.points(path, {"i1": str(i1), "i2": str(i2)}))
    except AuthenticationError as refused:
        if refused.message == refusals.INVALID_RANGE:
            return None
        raise


def _bound(index: int, length: int) -> int:
    return max(0, min(length, index + length if index < 0 else index))
