"""The newest points of one stream, as many or as young as was asked for: pure, given the time."""

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
    How much a mirror holds: one of the two.

    Attributes:
        number: So many points.
        span: Those of so many seconds.
    """

    number: int | None
    span: float | None

    @classmethod
    def of(cls, given: float | timedelta) -> Keep:
        """
        Return what a user means: an ``int`` is a number of points, a ``float`` are seconds, as a ``timedelta`` is a span.

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
        """Where a subscription begins that brings all of it."""
        return timedelta(seconds=self.span) if self.number is None and self.span is not None else -(self.number or 1)


class Kept:
    """
    Points in the order in which they came, of which the old ones go.

    Args:
        keep: How many of them stay, or for how long.

    Attributes:
        newest: The last point that came, however old it is.
    """

    def __init__(self, keep: Keep) -> None:
        self._span = keep.span
        self._points: deque[Datapoint] = deque(maxlen=keep.number)
        self.newest: Datapoint | None = None
        #: The index of the point that is to follow; ``None`` if that is not known.
        self._next: int | None = None

    def add(self, points: Sequence[Datapoint], now: float, first: int | None = None) -> None:
        """
        Take in points that follow those that are here.

        Args:
            points: The points.
            now: The present, in seconds since 1970.
            first: Where the first of them stands in the stream. Others that stood there, or behind it, are not in the stream any
                more: it was restored from a backup, or made anew.
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
        """Know *point*, too old to be kept, as the newest, if none is known."""
        if self.newest is None:
            self.newest = point

    def clear(self) -> None:
        """Forget all, the newest too."""
        self._points.clear()
        self.newest = self._next = None

    def points(self, now: float) -> list[Datapoint]:
        """Return what is kept, the newest last."""
        self._let_go(now)
        if self._span is None:
            return list(self._points)
        # in a stream that is not stored, an old time may stand behind a young one
        return [point for point in self._points if _time(point) > now - self._span]

    def _let_go(self, now: float) -> None:
        if self._span is not None:
            while self._points and _time(self._points[0]) <= now - self._span:
                self._points.popleft()


def _time(point: Datapoint) -> float:
    time: float = point.get("t", 0.0)
    return time
