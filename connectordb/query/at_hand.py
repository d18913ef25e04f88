"""
`AtHand`: a list of points as a stream of a query, with a range and a transform.

It follows the rules of a server (``docs/topics/wire.rst``, "Queries over several streams").
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any

from ..exceptions import InvalidRange, LocalProtocolError
from ..protocol.points import Datapoint

if TYPE_CHECKING:
    from ..pipescript import Script

#: The fields of a range; if all of them are 0, there is no range.
RANGE = ("t1", "t2", "limit", "i1", "i2")

#: How many points from before the beginning of a dataset a column without a range of its own includes.
BACK = 10


class AtHand:
    """
    A list of points, with a range and a transform.

    Args:
        points: The list, which is read when the query runs; points that are not in order of time are sorted then.
        fields: The range, in the form of the wire.
        transform: A script, or ``""``.
        tz: The time zone for a script that names none.

    Raises:
        PipeScriptError: *transform* is not a valid script.
    """

    def __init__(self, points: list[Datapoint], fields: Mapping[str, Any], transform: str, tz: str = "") -> None:
        self._points = points
        self._fields = fields
        self._transform = transform
        self._script = _compiled(transform, tz) if transform else None

    @property
    def shown(self) -> dict[str, Any]:
        """The number of points, the range and the transform, for people to read; nothing of it is sent."""
        shown = {"datapoints": len(self._points), **self._fields}
        return {**shown, "transform": self._transform} if self._transform else shown

    def read(self, since: float | None = None) -> Iterator[Datapoint]:
        """
        Return the points of the range, transformed.

        Args:
            since: For a column of a dataset: where the dataset begins. Without a range, the column has the points from there on
                and ten points before; or all points, if there are none after it.

        Raises:
            LocalProtocolError: Something in the list is no datapoint.
            InvalidRange: A range of indices ends before it begins.
        """
        points = _in_order(self._points)
        first, last = _bounds([point["t"] for point in points], self._fields, since or 0.0)
        results: Iterator[Datapoint] = islice(points, first, last)
        if self._script is not None:
            results = self._script(results)
        # the limit counts results, not points
        return islice(results, self._fields["limit"]) if self._fields.get("limit") else results


def _compiled(transform: str, tz: str) -> Script:
    from ..pipescript import Script  # few programs need the language

    return Script(transform, tz=tz)


def _in_order(points: list[Datapoint]) -> list[Datapoint]:
    """Return the points sorted by time, with time and value alone."""
    plain = [_plain(number, point) for number, point in enumerate(points)]
    plain.sort(key=lambda point: float(point["t"]))
    return plain


def _plain(number: int, point: object) -> Datapoint:
    if isinstance(point, dict):
        time = point.get("t", 0.0)
        if type(time) in (int, float) and isfinite(time):
            return {"t": time, "d": point.get("d")}
    raise LocalProtocolError(
        f"{point!r:.80} is no datapoint, at {number}: expected a dict with 't', seconds since 1970, and 'd'"
    )


def _bounds(times: list[float], fields: Mapping[str, Any], since: float) -> tuple[int, int]:
    """Return the first index of a range, and the index after its last."""
    length = len(times)
    t1, t2, limit, i1, i2 = (fields.get(name, 0) for name in RANGE)
    if i1 or i2:
        return _index_bounds(length, i1, i2)
    if t1 or t2 or limit:
        return bisect_right(times, t1) if t1 > 0 else 0, bisect_right(times, t2) if t2 > 0 else length
    first = bisect_right(times, since) if since > 0 else 0
    return max(first - BACK, 0) if first < length else 0, length


def _index_bounds(length: int, i1: int, i2: int) -> tuple[int, int]:
    first = max(i1 + length, 0) if i1 < 0 else i1
    last = min(i2 + length if i2 <= 0 else i2, length)
    if length == 0 and i1 <= 0:  # for a stream without points, a server does not refuse this
        return 0, 0
    if last < first:
        raise InvalidRange(f"i1={i1}, i2={i2} end before they begin, of {length} points")
    return first, last
