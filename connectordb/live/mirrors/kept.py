"""The newest points of one stream, as many or as young as was asked for. Pure: the time is given."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from ...exceptions import LocalProtocolError
from ...protocol.points import Datapoint


class Keep(NamedTuple):
    """
    How much a mirror holds: one of the two is ``None``.

    Attributes:
        number: This many points.
        span: The points of this many seconds.
    """

    number: int | None
    span: float | None

    @classmethod
    def of(cls, given: float | timedelta) -> Keep:
        """
        Return what a user means: an ``int`` is a number of points; a ``timedelta``, or a ``float`` in seconds, is a span.

        Raises:
            LocalProtocolError: It is none of these, or not above 0.
        """
        if isinstance(given, int) and not isinstance(given, bool) and given > 0:
            return cls(given, None)
        seconds = given.total_seconds() if isinstance(given, timedelta) else given
        if isinstance(seconds, float) and math.isfinite(seconds) and seconds > 0:
            return cls(None, seconds)
        raise LocalProtocolError(
            f"keep={given!r}: expected a number of points (an int), or a span (a timedelta, or seconds as a float), above 0"
        )

    @property
    def since(self) -> int | timedelta:
        """The *since* of a subscription that brings all of these points."""
        return timedelta(seconds=self.span) if self.number is None and self.span is not None else -(self.number or 1)


class Kept:
    """
    Points in the order in which they came; old ones are let go of.

    Args:
        keep: How many are kept, or for how long.

    Attributes:
        newest: The last point that came, however old it is.
    """

    def __init__(self, keep: Keep) -> None:
        self._span = keep.span
        self._points: deque[Datapoint] = deque(maxlen=keep.number)
        self.newest: Datapoint | None = None
        #: The index of the point that comes next; ``None`` if that is not known.
        self._next: int | None = None

    def add(self, points: Sequence[Datapoint], now: float, first: int | None = None) -> None:
        """
        Take points that follow those that are here.

        Args:
            points: The points.
            now: The present time, in seconds since 1970.
            first: The index of the first one. If points with this index or later ones are here, they are no longer in the stream,
                which was restored from a backup, or made anew.
        """
        if first is not None and self._next is not None:
            for _ in range(min(len(self._points), self._next - first)):
                self._points.pop()
        self._next = None if first is None else first + len(points)
        self._points.extend(points)
        if points:
            self.newest = points[-1]
        self._let_go(now)

    def before(self, point: Datapoint) -> None:
        """Take *point*, which is too old to be kept, as the newest, unless another one is known."""
        if self.newest is None:
            self.newest = point

    def clear(self) -> None:
        """Forget all points, including the newest."""
        self._points.clear()
        self.newest = self._next = None

    def points(self, now: float) -> list[Datapoint]:
        """Return what is kept, the newest last."""
        self._let_go(now)
        if self._span is None:
            return list(self._points)
        # in a stream that is not stored, times need not increase
        return [point for point in self._points if _time(point) > now - self._span]

    def _let_go(self, now: float) -> None:
        if self._span is not None:
            while self._points and _time(self._points[0]) <= now - self._span:
                self._points.popleft()


def _time(point: Datapoint) -> float:
    time: float = point.get("t", 0.0)
    return time
