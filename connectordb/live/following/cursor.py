"""
Where one subscription stands in its stream, and what to do next. Pure.

Two sources feed it. A server that tells indices sends runs of points, which are kept as long as they are few. If a run does not begin
at the cursor (because the connection was lost, because the callback was too slow, or because points never came), the points in between
are fetched by index. A server that tells no indices only gives signals; after a signal, everything from the cursor on is fetched.
Either way, each point is handed on once and in order, as the cursor only moves forward over what was handed on.

Whether the stream is still the same is seen by the point before the cursor, even if that was there before the subscription: a
stream that was restored from a backup, or made anew, has another point there, or none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from ...protocol.points import Datapoint
from ..options import Overflow
from ..remembering import Place
from .pages import PAGE

#: How many points are kept at most while the callback is busy, and how many bytes on the wire they may be.
KEPT_POINTS, KEPT_BYTES = 50_000, 16 * 2**20


class Hand(NamedTuple):
    """Hand these points on: the index of the first, the points, and whether they were fetched."""

    first: int
    points: Sequence[Datapoint]
    caught_up: bool


class Fetch(NamedTuple):
    """
    Read a range.

    Attributes:
        first: The index of the first point to be handed on.
        after: The index at which the range ends; the stream may end before.
        checks: Whether the point before *first* is read as well, to recognise the stream by it.
        hints: How many hints had come by then: if more come while it is read, the end of what was read need not be that of the stream.
        fills: Whether it ends where a run begins that the server told of.
    """

    first: int
    after: int
    checks: bool
    hints: int
    fills: bool

    @property
    def i1(self) -> int:
        """The index at which the range begins."""
        return self.first - self.checks


class Skip(NamedTuple):
    """Leave out all but the newest point; only the server knows its index."""


class Moved(NamedTuple):
    """The point before the cursor is not the one that was there: the stream is another one, or has lost its end."""


class _Run(NamedTuple):
    first: int
    points: Sequence[Datapoint]
    size: int

    @property
    def end(self) -> int:
        return self.first + len(self.points)


class Cursor:
    """
    One subscription's place in its stream.

    Args:
        overflow: What becomes of points when there are too many to be kept.

    Attributes:
        next: The index of the next point to be handed on; ``None`` before it is known.
        last_t: The time of the point before that; ``None`` if it is not known.
        series: The server's name for this very stream, by which it differs from others at its path before or after; ``""`` if the
            server has none.
        missed: How many points were left out.
        overflowed: Whether there were too many points, and *overflow* is ``"raise"``.
    """

    def __init__(self, overflow: Overflow = "catch_up") -> None:
        self._overflow = overflow
        self.next: int | None = None
        self.last_t: float | None = None
        self.series = ""
        self.missed = 0
        self.overflowed = False
        self._runs: deque[_Run] = deque()
        self._kept = self._kept_bytes = 0
        self._head = 0  # the length of the stream, as far as is known
        self._announced = 0  # how many points signals told of that were not fetched yet
        self._hints = 0  # how many times anything was heard that makes it worth reading further
        self._unread = False  # whether there may be points that nobody told of
        self._doubt = False  # whether the point before the cursor has to be looked at before anything is handed on

    @property
    def place(self) -> Place | None:
        """What to remember; ``None`` before it is known where to begin."""
        return None if self.next is None else Place(self.next, self.last_t, self.series)

    @property
    def lag(self) -> int:
        """How many points are known to exist that were not handed on."""
        return 0 if self.next is None else max(self._head - self.next, self._announced)

    @property
    def is_at_rest(self) -> bool:
        """Whether there is nothing to do."""
        return not (self._runs or self._unread or self._doubt or self._announced or self._head > (self.next or 0))

    def start(self, index: int, length: int, last_t: float | None = None) -> None:
        """Stand before the point at *index*, in a stream of that *length*; *last_t* is the time of the point before."""
        self._forget_runs()
        self.next, self.last_t = index, last_t
        self._head, self._announced = max(length, index), 0
        self._unread = self._doubt = False

    # --- what is heard ------------------------------------------------------------------------------------------------

    def told(self, index: int, points: Sequence[Datapoint], size: int) -> None:
        """Take points that the server told of, which stand at *index*; *size* is their bytes on the wire."""
        end = index + len(points)
        if self.next is None or end <= self.next:
            return
        if self._runs and (last := self._runs[-1].end) != index:
            if index < last:
                return  # these were told before
            self._forget_runs()
            self._hints += 1
        self._head = max(self._head, end)
        self._runs.append(_Run(index, points, size))
        self._kept += len(points)
        self._kept_bytes += size
        if len(self._runs) > 1 and (self._kept > KEPT_POINTS or self._kept_bytes > KEPT_BYTES):
            self._too_many()

    def head(self, length: int) -> None:
        """Note that the stream has at least *length* points."""
        self._head = max(self._head, length)
        self._hints += 1

    def signal(self, points: int = 0) -> None:
        """Note that there may be points that nobody told of; *points* is their number, if that is known."""
        self._hints += 1
        self._unread = True
        self._announced += points

    def forget_announced(self) -> None:
        """No longer expect the points that signals told of."""
        self._announced = 0

    def doubt(self) -> None:
        """Look again at the point before the cursor, and read what follows it, even what the server has told of already."""
        self._forget_runs()
        self._doubt = True
        self.signal()

    def _too_many(self) -> None:
        if self._overflow == "raise":
            self.overflowed = True
            self._forget_runs()
        elif self._overflow == "latest":
            self._skip_to(self._runs[-1].first)
        else:
            self._forget_runs()
            self._hints += 1

    def _forget_runs(self) -> None:
        self._runs.clear()
        self._kept = self._kept_bytes = 0

    # --- what to do ---------------------------------------------------------------------------------------------------

    def step(self, most: int = PAGE, page: int = PAGE) -> Hand | Fetch | Skip | None:
        """Return what to do next: hand on *most* points at most, fetch a *page*, or find the end; ``None``: everything is handed on."""
        if self.next is None:
            return None
        if self._announced > KEPT_POINTS and self._overflow != "catch_up":
            self.overflowed = self._overflow == "raise"
            return None if self.overflowed else Skip()
        # every read is checked: it may be answered by another server than before, or from another stream
        checks = self.next > 0
        while self._runs and self._runs[0].end <= self.next:
            self._drop_first()
        doubt = self._doubt and checks and self.last_t is not None
        if not doubt and self._runs and self._runs[0].first <= self.next:
            return self._take(most)
        if doubt or self._runs or self._unread or self._head > self.next:
            after = min(self.next + page, self._runs[0].first) if self._runs else self.next + page
            fills = bool(self._runs) and after == self._runs[0].first
            return Fetch(self.next, max(after, self.next), checks, self._hints, fills)
        return None

    def fetched(self, fetch: Fetch, points: Sequence[Datapoint]) -> Hand | Moved | None:
        """Take what a read brought; return what to hand on, if anything."""
        if fetch.first != self.next:
            return None  # some were left out meanwhile
        if fetch.checks:
            before, points = points[:1], points[1:]
            if self.last_t is not None and (not before or before[0].get("t", 0.0) != self.last_t):
                return Moved()
            if before:  # if nothing was handed on so far, the stream is recognised by this point from now on
                self.last_t = before[0].get("t", 0.0)
            self._doubt = False
        hand = self._hand(points, True) if points else None
        self._announced = max(self._announced - len(points), 0)
        if len(points) < fetch.after - fetch.first:
            self._read_to_the_end(fetch)
        return hand

    def skipped(self, length: int) -> None:
        """Leave out all but the newest of *length* points."""
        self._skip_to(max(length - 1, 0))

    def _read_to_the_end(self, fetch: Fetch) -> None:
        assert self.next is not None
        if fetch.fills and self._runs and self._runs[0].first == fetch.after:
            # nothing is there between what was read and the run that was told of, and nothing ever will be
            self.missed += max(self._runs[0].first - self.next, 0)
            self.next = max(self._runs[0].first, self.next)
        elif fetch.hints == self._hints and not self._runs:  # otherwise points may have come while it was read
            self._unread, self._head = False, self.next

    def _take(self, most: int) -> Hand:
        """Return what was told, several runs in one."""
        assert self.next is not None
        taken: list[Datapoint] = []
        while self._runs and len(taken) < most:
            run = self._runs[0]
            first = self.next + len(taken) - run.first
            taken += run.points[first : first + most - len(taken)]
            if self.next + len(taken) < run.end:
                break
            self._drop_first()
        return self._hand(taken, False)

    def _drop_first(self) -> None:
        run = self._runs.popleft()
        self._kept -= len(run.points)
        self._kept_bytes -= run.size

    def _hand(self, points: Sequence[Datapoint], caught_up: bool) -> Hand:
        assert self.next is not None
        hand = Hand(self.next, points, caught_up)
        self.next += len(points)
        self.last_t = points[-1].get("t", 0.0)
        self._head = max(self._head, self.next)
        return hand

    def _skip_to(self, index: int) -> None:
        assert self.next is not None
        self.missed += max(index - self.next, 0)
        self.next, self.last_t = max(index, self.next), None
        self._announced = 0
        self._head = max(self._head, index)
