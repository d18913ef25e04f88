"""
Brings one subscription the points of its stream: the loop's thread says what it heard, a lane fetches and hands on.

What is heard only moves the `Cursor`, under a lock that nobody holds for long; one job at a time on the lane asks it what to do
next, reads over REST if need be, and hands on. What fails for the moment is tried again after a pause, for which the loop's
thread calls back; a stream that is gone waits until the server says again that it is there.
"""

from __future__ import annotations

import logging
import random
from functools import partial

from ...exceptions import (
    AuthenticationError,
    ConnectorDBError,
    ResponseError,
    TooSlow,
)
from ...protocol.times import to_seconds
from ..handing.batch import Batch
from ..options import GoneReason
from ..remembering.place import Place
from .cursor import Fetch, Hand, Moved, Skip
from .hearing import Hearing
from .reads import Seen
from .receiver import gone_reason

log = logging.getLogger(__name__)

#: Seconds after which points that an original server told of are looked for again, if they are not there yet.
_NOT_YET = (0.1, 1.0)


class Follower(Hearing):
    """Fetches and hands on, on a lane; what it hears, and its arguments: `Hearing`."""

    def _work(self) -> None:
        try:
            with self._lock:
                self._scheduled = False
                beginnings, self._before = self._beginnings, self._cursor.place
                if self._is_gone:
                    return
            self._do_next(beginnings)
        except KeyboardInterrupt:  # of who iterates: what he was not given comes again
            with self._lock:
                place = self._before
                if place is not None and place.series == self._cursor.series:
                    self._cursor.start(place.next, place.next, place.last_t)
                    self._cursor.signal()
                self._scheduled = False
            self.poke()
            raise
        except BaseException:
            self.poke()
            raise

    def stand(self) -> None:
        """Have it noted where it begins, unless that was done or is not known yet; by whom does not matter."""
        if self._is_placed:
            return
        with self._placing:
            with self._lock:
                place = self._cursor.place
            if place is not None and not self._is_placed:
                self._receiver.stands_at(place, moved=False)
                self._is_placed = True

    def _do_next(self, beginnings: int) -> None:
        self.stand()  # first of all: a program that ends now goes on there
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
            self._too_slow()
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

    def _too_slow(self) -> None:
        self._receiver.tell(TooSlow(f"the callback of {str(self._path)!r} is too slow; the subscription has ended"))
        self._receiver.end()

    def _end_with(self, reason: GoneReason) -> None:
        """Hand on what was told before the stream was gone, as it cannot be read any more, and then say that it is."""
        with self._lock:
            step = self._cursor.step(self._most)
        if isinstance(step, Hand):
            self._hand(step)
            self._lane.put(partial(self._end_with, reason))
        else:
            self._receiver.gone(reason)

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
            failures, self._is_pausing = self._failures, True
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
