"""
The times with which points are sent, once it is known which of them are wrong. Pure.

The order of points stays as it is, times strictly increase, and times that the user gave are not touched. If these conflict with the
right times of points that the Logger stamped, the latter give way.

No point was stamped later than the one behind it. If nothing else is known of a time, that bounds it: a stretch of times that
cannot be right is shifted to just before the first right time behind it, which brings it nearer to the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, nextafter
from typing import NamedTuple

from ..times import later
from .eras import STEP
from .judgement import PLAUSIBLE

#: Seconds that a stream may wait for the time of its next point to come: a day. A stream that stands still for longer is
#: as good as lost, and a time further off is hardly intended.
PATIENCE = 86_400.0


class Point(NamedTuple):
    """
    A point, with the time that it ought to have.

    Attributes:
        t: The time.
        is_users: Whether the user gave that time, and not the Logger.
        is_sure: Whether it was stamped since the machine started, by a clock that was judged.
    """

    t: float
    is_users: bool = False
    is_sure: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    What the times of points have to keep to.

    Attributes:
        floor: All times have to be above this: the stream has a point with this time.
        now: The right time; infinite if that is not known.
        latest: Later times must not be sent.
        restamp: Move a time that the user gave, and that is below *floor*, above it; otherwise the point is set aside.
        users: The first time behind these points that the user gave, or less, to leave room for points in between.
        sure: The first time behind them that is sure.
        due: The first time behind them that is not in the future.
    """

    floor: float
    now: float = inf
    latest: float = inf
    restamp: bool = False
    users: float = inf
    sure: float = inf
    due: float = inf

    def is_early(self, point: Point, t: float) -> bool:
        """Tell whether *t* has not come yet: such a time must not be sent, or cannot be the time at which the point was stamped."""
        return t > (self.latest if point.is_users or point.is_sure else self.now + STEP)

    def is_too_old(self, point: Point) -> bool:
        """Tell whether the user gave a time that can no longer be stored."""
        return point.is_users and point.t < self.floor and not self.restamp

    def is_due(self, point: Point, t: float) -> bool:
        """Tell whether *t* may be sent, and is what a clock that was set may show."""
        return max(self.floor, PLAUSIBLE) < t and not self.is_early(point, t)


@dataclass(slots=True)
class Arrangement:
    """
    What becomes of points.

    Attributes:
        times: Their times.
        aside: Which of them are to be set aside: position → reason.
        due: How many of them, from the first on, may be sent now.
    """

    times: list[float]
    aside: dict[int, str] = field(default_factory=dict)
    due: int = 0


def earlier(t: float) -> float:
    """Return a smaller time, such that `later` of it is not above *t*."""
    before = t - (later(t) - t)
    while later(before) > t:
        before = nextafter(before, -inf)
    return before


def arrange(points: Sequence[Point], bounds: Bounds) -> Arrangement:
    """Return the times to send *points* with, in their order."""
    times = [point.t for point in points]
    _draw_back(points, times, bounds)
    done = Arrangement(times, _in_the_way(points, times, bounds))
    kept = [at for at in range(len(points)) if at not in done.aside]
    _keep_below(points, times, kept, bounds.users)
    early = [at for at in kept if bounds.is_early(points[at], times[at])]
    _increase(points, times, kept, bounds)
    early += [at for at in kept if times[at] > bounds.latest]
    done.due = min(early, default=len(points))
    return done


def _draw_back(points: Sequence[Point], times: list[float], bounds: Bounds) -> None:
    """Shift stretches of times that are not sure, and cannot be right, to just before the next time that can be."""
    due, sure, shift = min(bounds.due, bounds.sure), bounds.sure, 0.0
    for at in range(len(points) - 1, -1, -1):
        point, t = points[at], times[at]
        early = bounds.is_early(point, t)
        if point.is_users or point.is_sure:
            if not early and not bounds.is_too_old(point):
                due, sure, shift = t, sure if point.is_users else t, 0.0
            continue
        bound = due if early else sure
        if t < bound and not early:
            due, shift = t if bounds.is_due(point, t) else due, 0.0
        elif bound < inf and t <= bounds.now + PATIENCE:
            shift = shift or t - earlier(bound)
            times[at] = due = sure = min(t - shift, earlier(bound))


def _in_the_way(points: Sequence[Point], times: list[float], bounds: Bounds) -> dict[int, str]:
    """Return the points for which others would wait too long, or in vain: position → reason."""
    aside: dict[int, str] = {}
    due = bounds.due
    for at in range(len(points) - 1, -1, -1):
        point, t = points[at], times[at]
        if t > bounds.now + PATIENCE:
            aside[at] = f"its time, {t!r}, lies more than a day after the right one, {bounds.now!r}"
        elif point.is_users and t > bounds.latest and due < inf:
            aside[at] = f"its time, {t!r}, has not come, and points behind it are due"
        elif bounds.is_too_old(point):
            aside[at] = f"older than {bounds.floor!r}, the time of a point that was sent before"
        elif bounds.is_due(point, t):
            due = t
    return aside


def _keep_below(points: Sequence[Point], times: list[float], kept: list[int], bound: float) -> None:
    """Keep the times that the Logger stamped below those behind them that the user gave."""
    for at in reversed(kept):
        if points[at].is_users:
            bound = times[at]
        elif bound < inf:
            bound = earlier(bound)
            times[at] = min(times[at], bound)


def _increase(points: Sequence[Point], times: list[float], kept: list[int], bounds: Bounds) -> None:
    """Make times strictly increase."""
    between: list[int] = []  # points that the Logger stamped since the last time that the user gave, which is `below`
    below = last = bounds.floor
    for at in kept:
        if points[at].is_users:
            if times[at] <= last and below < times[at]:
                last = _squeeze(times, between, below, times[at])
            between, below = [], max(times[at], below)
        else:
            between.append(at)
        times[at] = last = times[at] if times[at] > last else later(last)
    if last >= bounds.users > below:
        _squeeze(times, between, below, bounds.users)


def room_below(t: float, floor: float, count: int, between: int) -> float:
    """Return the bound below which *count* points have to stay, so that *between* others have room behind them and before *t*."""
    bound = t - between * (later(t) - t)
    shared = floor + (t - floor) * (count + 1) / (count + between + 1)
    return bound if earlier(bound) - floor > count * (later(t) - t) else shared


def _squeeze(times: list[float], which: list[int], below: float, above: float) -> float:
    """Spread points evenly between two times, as far as there is room; return the time of the last one."""
    last = below
    for n, at in enumerate(which, 1):
        t = below + (above - below) * n / (len(which) + 1)
        times[at] = last = t if t > last else nextafter(last, inf)
    return last
