"""What a subscription hears of its stream, on the loop's thread: it only moves the cursor, under a lock, and has the lane go on."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial

from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ...runtime.backoff import Backoff
from ...runtime.clock import Clock
from ..dispatch import Lane
from ..downlinks import Absences, Claim
from ..handing.batch import Batch
from ..options import GoneReason, Options
from ..remembering.place import Place
from .cursor import PAGE, Cursor
from .losses import Losses
from .reads import Reads, Seen
from .receiver import Receiver


class Hearing(ABC):
    """
    The half of a `Follower` that is told.

    Args:
        path: The stream, or the downlink.
        options: What the subscriber chose.
        by_index: Whether points have places: not what a transform makes at the server.
        lane: Where everything is handed on.
        reads: The stream over REST.
        receiver: Who takes it.
        later: Has `poke` called after so many seconds, as long as there is a connection.
        clock: The clocks.
        backoff: The pauses between reads that fail.
        place: Where to go on, if it is remembered.
    """

    def __init__(
        self,
        path: Path,
        options: Options,
        *,
        by_index: bool,
        lane: Lane,
        reads: Reads,
        receiver: Receiver,
        later: Callable[[Hearing, float], None],
        clock: Clock,
        backoff: Backoff,
        place: Place | None = None,
    ) -> None:
        self._path, self._options, self._by_index = path, options, by_index
        self._lane, self._reads, self._receiver = lane, reads, receiver
        self._later, self._clock, self._backoff = later, clock, backoff
        # one at a time of a downlink: each is a command of its own
        self._most = 1 if path.downlink else PAGE
        # guards everything below
        self._lock = threading.Lock()
        self._cursor = Cursor(options.overflow)
        if place is not None:
            self._cursor.start(place.next, place.next, place.last_t)
            self._cursor.series = place.series
        self._absences = Absences()
        self._scheduled = False
        self._beginnings = 0
        self._ephemeral = False
        self._is_gone = False
        self._seen: Seen | None = None  # of a stream that has to be told from the one before
        self._awaits_series = False  # whether the server is to say first whether it is the same stream
        self._has_asked = False
        self._caught_up: int | None = None  # points fetched since the connection was made; told once
        self._not_yet = 0
        self._is_there = True
        # held while it is noted where it begins; taken before the other
        self._placing = threading.Lock()
        self._is_placed = False
        self._before: Place | None = None  # where it stood when the lane began with what it does now
        self._failures = 0
        self._is_pausing = False  # until a read is tried again that failed
        self._was_away = False
        self._losses = Losses(path)

    @property
    def is_begun(self) -> bool:
        """Whether it is decided where to begin."""
        return self._beginnings > 0

    @property
    def goes_by_index(self) -> bool:
        """Whether what was not told can be fetched."""
        return self._by_index and not self._ephemeral

    @property
    def series(self) -> str:
        """What tells the stream from another one at its path; ``""`` if the server does not say."""
        return self._cursor.series

    @property
    def lag(self) -> int:
        """Points that are known to be there and were not handed on."""
        with self._lock:
            return self._cursor.lag

    @property
    def missed(self) -> int:
        """Points that could not be had, or were left out."""
        with self._lock:
            return self._losses.number + self._cursor.missed

    def away_until(self, index: int | None) -> int | None:
        """Return the index behind what came while there was no connection, if the point at *index* did; ``None`` if not."""
        with self._lock:
            return None if index is None else self._absences.until(index)

    # --- what is heard, on the loop's thread --------------------------------------------------------------------------

    def began(self, seen: Seen, unread: bool) -> None:
        """Take note that the server tells of the stream from now on, and, if *unread*, that it has not told of all since *seen*."""
        with self._lock:
            again, self._beginnings = self._beginnings > 0, self._beginnings + 1
            self._ephemeral, self._is_gone, self._awaits_series = seen.ephemeral, False, False
            self._caught_up, self._failures, self._is_pausing = 0, 0, False
            if self.goes_by_index:
                self._absences.back(seen.length)
                self._place(seen)
                if unread:
                    self._cursor.signal()
            elif again and self._was_away:
                self._lane.put(partial(self._receiver.tell, self._losses.connection()))
            self._was_away = False
            self._schedule()

    def told(self, index: int | None, points: Sequence[Datapoint], size: int, claims: Sequence[Claim] = ()) -> None:
        """Take points that stand at *index*, or have no place; *claims* are those to them as commands."""
        if index is None or not self._by_index:
            dropped = 0
            for first in range(0, len(points), self._most):
                batch = Batch(points[first : first + self._most], self._path)
                claim = claims[first] if claims else None
                dropped += self._lane.put(partial(self._receiver.hand, batch, claim), len(batch))
            if dropped and self._options.overflow == "raise":
                self._lane.put(self._too_slow)
            elif dropped:
                self.lost(dropped, "were too many for the callback")
            return
        with self._lock:
            if self._ephemeral:  # it is stored from now on
                self._ephemeral = False
                self._cursor.start(index, index)
            self._cursor.told(index, points, size)
            self._schedule()

    def signal(self, points: Sequence[Datapoint], size: int, claims: Sequence[Claim] = ()) -> None:
        """Take note that a server that tells no indices told of these."""
        if not self.goes_by_index:
            self.told(None, points, size, claims)
            return
        with self._lock:
            self._cursor.signal(len(points))
            self._not_yet = 0
            self._schedule()

    def gap(self, after: int) -> None:
        """Take note that points before that index were not told."""
        with self._lock:
            self._cursor.head(after)
            self._schedule()

    def lost(self, number: int, why: str = "were not told, as too much was waiting") -> None:
        """Take note of points that cannot be had."""
        with self._lock:
            told = self._losses.add(number, why)
        if told is not None:
            self._lane.put(partial(self._receiver.tell, told))

    def look(self) -> None:
        """Look whether the stream is still there, and the same, and has what nobody told of."""
        with self._lock:
            if not self._beginnings:
                return
            if self.goes_by_index:
                self._cursor.doubt()
            else:
                self._is_there = False
            self._schedule()

    def disconnected(self) -> None:
        """Take note that nothing is told any more."""
        with self._lock:
            self._caught_up, self._was_away = None, True
            self._awaits_series = bool(self._cursor.series)
            self._absences.left((self._cursor.next or 0) + self._cursor.lag)

    def ended(self, reason: GoneReason) -> None:
        """Take note that the server tells of the stream no more."""
        with self._lock:
            again, self._is_gone = self._is_gone, True
        if not again:
            self._lane.put(partial(self._end_with, reason))

    def poke(self) -> None:
        """Go on, after a pause."""
        with self._lock:
            self._is_pausing = False
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and self._beginnings and not self._is_pausing:
            self._scheduled = True
            self._lane.put(self._work)

    def _place(self, seen: Seen) -> None:
        """Decide where to begin, or to go on; what needs a look at the stream is left to the lane."""
        cursor, since = self._cursor, self._options.since
        if cursor.next is None:
            cursor.series = seen.series
            if since is None:
                cursor.start(seen.length, seen.length)
            elif type(since) is int:
                cursor.start(max(0, since + seen.length) if since < 0 else since, seen.length)
            else:
                self._seen = seen
        elif seen.series and cursor.series and seen.series != cursor.series:
            self._seen = seen
        elif seen.series and seen.length < cursor.next and cursor.last_t is None and since is None:
            self._seen = seen  # it began at the end, and was handed nothing: the end went back
        else:
            # a smaller length proves nothing: it may be older than what was read since; the point before the cursor does
            cursor.series = seen.series or cursor.series
            cursor.head(seen.length)
            cursor.doubt()

    @abstractmethod
    def _work(self) -> None:
        """Do the next thing, on the lane."""

    @abstractmethod
    def _too_slow(self) -> None:
        """End, on the lane."""

    @abstractmethod
    def _end_with(self, reason: GoneReason) -> None:
        """Say, on the lane, that the stream is gone."""
