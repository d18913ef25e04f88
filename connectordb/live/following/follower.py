"""
Brings one subscription the points of its stream: the loop's thread says what it heard, a lane fetches and hands on.

What is heard only moves the `Cursor`, under a lock that nobody holds for long; one job at a time on the lane asks it what to do
next, reads over REST if need be, and hands on. What fails for the moment is tried again after a pause, for which the loop's
thread calls back; a stream that is gone waits until the server says again that it is there.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from functools import partial

from ...exceptions import (
    AuthenticationError,
    ConnectorDBError,
    ResponseError,
    TooSlow,
)
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ...protocol.times import to_seconds
from ...runtime.backoff import Backoff
from ...runtime.clock import Clock
from ..dispatch import Lane
from ..downlinks import Absences, Claim
from ..handing.batch import Batch
from ..options import GoneReason, Options
from ..remembering.place import Place
from .cursor import PAGE, Cursor, Fetch, Hand, Moved, Skip
from .losses import Losses
from .reads import Reads, Seen
from .receiver import Receiver, gone_reason

log = logging.getLogger(__name__)

#: Seconds after which points that an original server told of are looked for again, if they are not there yet.
_NOT_YET = (0.1, 1.0)


class Follower:
    """
    See above.

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
        later: Callable[[Follower, float], None],
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
        self._is_placed = False
        self._failures = 0
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
            self._caught_up, self._failures = 0, 0
            if self.goes_by_index:
                self._absences.back(seen.length)
                self._place(seen)
                if unread:
                    self._cursor.signal()
            elif again:
                self._lane.put(partial(self._receiver.tell, self._losses.connection()))
            self._schedule()

    def told(self, index: int | None, points: Sequence[Datapoint], size: int, claims: Sequence[Claim] = ()) -> None:
        """Take points that stand at *index*, or have no place; *claims* are those to them as commands."""
        if index is None or not self._by_index:
            dropped = 0
            for first in range(0, len(points), self._most):
                batch = Batch(points[first : first + self._most], self._path)
                claim = claims[first] if claims else None
                dropped += self._lane.put(partial(self._receiver.hand, batch, claim), len(batch))
            if dropped:
                self.lost(dropped, "were too many for the callback")
            return
        with self._lock:
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
            self._caught_up = None
            self._awaits_series = bool(self._cursor.series)
            self._absences.left((self._cursor.next or 0) + self._cursor.lag)

    def ended(self, reason: GoneReason) -> None:
        """Take note that the server tells of the stream no more."""
        with self._lock:
            again, self._is_gone = self._is_gone, True
        if not again:
            self._lane.put(partial(self._receiver.gone, reason))

    def poke(self) -> None:
        """Go on, after a pause."""
        with self._lock:
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and self._beginnings:
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
        else:
            # a smaller length proves nothing: it may be older than what was read since; the point before the cursor does
            cursor.series = seen.series or cursor.series
            cursor.head(seen.length)
            cursor.doubt()

    # --- on the lane --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        with self._lock:
            self._scheduled = False
            beginnings = self._beginnings
            if self._is_gone:
                return
            place = None if self._is_placed else self._cursor.place
        if place is not None:  # first of all: a program that ends now goes on there
            self._is_placed = True
            self._receiver.stands_at(place, moved=False)
        try:
            more = self._find_the_place() if self._seen is not None else self._step()
        except ConnectorDBError as error:
            reason = gone_reason(error)
            if reason is None:
                self._failed(error)
            else:
                self._refused(reason, beginnings)
        else:
            if more:
                self.poke()

    def _step(self) -> bool:
        """Do the next thing; tell whether there may be another."""
        with self._lock:
            look, self._is_there = not self._is_there, True
            step = self._cursor.step(self._most)
            overflowed, awaits = self._cursor.overflowed, self._awaits_series
        if overflowed:
            self._receiver.tell(TooSlow(f"the callback of {str(self._path)!r} is too slow; the subscription has ended"))
            self._receiver.end()
            return False
        if look:
            self._reads.look()
        if step is None:
            return self._all_is_handed_on()
        if awaits and not isinstance(step, Hand):
            return False
        if isinstance(step, Fetch):
            return self._fetch(step)
        if isinstance(step, Skip):
            length = self._reads.length()
            with self._lock:
                self._cursor.skipped(length)
            return True
        self._hand(step)
        with self._lock:
            return self._caught_up is not None or not self._cursor.is_at_rest

    def _fetch(self, fetch: Fetch) -> bool:
        points = self._reads.points(fetch.i1, fetch.after)
        with self._lock:
            self._failures = 0
            if points is None and self._cursor.last_t is not None:
                found: Moved | Hand | None = Moved()
            else:  # who begins behind the end waits until it comes there
                found = self._cursor.fetched(fetch, points or [])
        if isinstance(found, Moved):
            return self._moved()
        if found is not None:
            self._hand(found)
        return True

    def _moved(self) -> bool:
        """Find out what became of the stream; where the server tells it from others at its path, that is asked first."""
        with self._lock:
            if self._awaits_series:
                return False
            asks = bool(self._cursor.series) and not self._has_asked
            self._has_asked = self._awaits_series = asks
        if asks:
            self._receiver.ask_again()
            return False
        length = self._reads.length()
        with self._lock:
            self._seen = Seen(length, self._cursor.series)
        return True

    def _hand(self, hand: Hand) -> None:
        if hand.caught_up and self._caught_up is not None:
            self._caught_up += len(hand.points)
        self._receiver.hand(Batch(hand.points, self._path, hand.first, hand.caught_up), None)

    def _find_the_place(self) -> bool:
        """Find where to begin by time, or to go on in a stream that is not as it was."""
        seen, cursor = self._seen, self._cursor
        assert seen is not None
        if cursor.next is None:
            assert self._options.since is not None
            since = to_seconds(self._options.since, self._clock.wall())
            self._go_on(seen, self._reads.index_after(since, seen.length), moved=False)
        elif seen.series != cursor.series:
            self._receiver.gone("recreated")
            self._go_on(seen, 0)
        else:
            last_t = cursor.last_t
            self._receiver.gone("restored")
            self._go_on(seen, seen.length if last_t is None else self._reads.index_after(last_t, seen.length))
        return True

    def _go_on(self, seen: Seen, index: int, moved: bool = True) -> None:
        with self._lock:
            if self._seen is not seen:
                return  # the connection was made anew meanwhile
            self._seen = None
            self._has_asked = False
            if moved:
                self._absences.forget()
            self._cursor.series = seen.series
            self._cursor.start(index, seen.length)
            self._cursor.signal()
        self._receiver.stands_at(Place(index, None, seen.series), moved)

    def _all_is_handed_on(self) -> bool:
        with self._lock:
            awaited = self._cursor.lag > 0
            number, self._caught_up = self._caught_up, None
            tries, self._not_yet = self._not_yet, self._not_yet + 1
        if number is not None:
            self._receiver.caught_up(number)
        return awaited and self._await(tries)

    def _await(self, tries: int) -> bool:
        """Look again soon for points that an original server told of; if they never come, see whether they are stored at all."""
        if tries < len(_NOT_YET):
            with self._lock:
                self._cursor.signal()
            self._later(self, _NOT_YET[tries])
            return False
        ephemeral = self._reads.is_ephemeral()
        with self._lock:
            owed = self._cursor.lag if ephemeral else 0
            self._ephemeral = ephemeral
            self._cursor.forget_announced()
        if owed:
            self.lost(owed, "came before it was known that they are not stored")
        return False

    def _failed(self, error: ConnectorDBError) -> None:
        with self._lock:
            self._failures += 1
            failures = self._failures
        asked = error.retry_after if isinstance(error, ResponseError) else None
        pause = max(self._backoff.pause(failures, random.random), asked or 0.0)
        log.info("live: %s could not be read: %s; again in %.1f s", self._path, error, pause)
        if isinstance(error, AuthenticationError) and failures == 1:
            self._receiver.tell(error)
        self._later(self, pause)

    def _refused(self, reason: GoneReason, beginnings: int) -> None:
        """Take note that the stream cannot be read, unless the server has said meanwhile that it is there."""
        with self._lock:
            if beginnings != self._beginnings:
                self._schedule()
                return
        self.ended(reason)
