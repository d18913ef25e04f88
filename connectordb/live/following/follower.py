"""
Brings one subscription the points of its stream: the loop's thread says what it heard; a lane fetches points and hands them on.

What is heard only changes the `Course`, under a lock that nobody holds for long. On the lane, one job at a time asks the course what
to do next, reads over REST if need be, and hands on. What fails for the moment is tried again after a pause, at the end of which the
loop's thread calls back. A stream that is gone waits until the server says that it is there again.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from functools import partial

from ...exceptions import ConnectorDBError, ResponseError, TimedOut, TooSlow
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ...protocol.times import to_seconds
from ...runtime.backoff import Backoff
from ...runtime.clock import Clock
from ..dispatch import Lane
from ..downlinks import Claim, NotYet
from ..handing import Batch
from ..options import GoneReason, Options
from ..remembering import Place
from .course import Course, Find, Look, Overflowed, Rest
from .cursor import Fetch, Hand, Moved, Skip
from .losses import Losses
from .pages import PAGE, Pages
from .reads import Reads, Seen
from .receiver import Receiver, gone_reason, is_refusal

log = logging.getLogger(__name__)

#: Seconds after which points that an original server told of are looked for again, if they cannot be read yet.
_NOT_YET = (0.1, 1.0)


class Follower:
    """
    Brings one subscription the points of its stream.

    Args:
        path: The stream, or the downlink.
        options: What the subscriber chose.
        by_index: Whether points have indices; what a transform makes at the server has none.
        lane: Where everything is handed on.
        reads: The stream over REST.
        receiver: The subscription, to which points are handed.
        later: Calls a function after so many seconds, or when there is a connection again.
        clock: The clocks.
        backoff: The pauses between reads that fail.
        place: Where to go on, if that is remembered.
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
        later: Callable[[float, Callable[[], None]], None],
        clock: Clock,
        backoff: Backoff,
        place: Place | None = None,
    ) -> None:
        self._path, self._options, self._by_index = path, options, by_index
        self._lane, self._reads, self._receiver = lane, reads, receiver
        self._later, self._clock, self._backoff = later, clock, backoff
        self._most = 1 if path.downlink else PAGE  # commands are handled one at a time
        self._pages = Pages(self._most)
        # held while the place where it begins is remembered; always taken before the other lock
        self._placing = threading.Lock()
        self._is_placed = False
        # guards everything below
        self._lock = threading.Lock()
        self._course = Course(options, by_index, place)
        self._losses = Losses(path)
        self._scheduled = False
        self._before: Place | None = None  # where it stood when the present job began
        self._failures = 0  # how many reads failed in a row
        self._is_pausing = False  # whether it waits before a failed read is tried again

    @property
    def beginnings(self) -> int:
        """As `Course.beginnings`."""
        return self._course.beginnings

    @property
    def is_begun(self) -> bool:
        """Whether the server has ever begun to tell of the stream."""
        return self.beginnings > 0

    @property
    def goes_by_index(self) -> bool:
        """Whether points that the server did not tell of can be fetched."""
        return self._course.goes_by_index

    @property
    def series(self) -> str:
        """As `Cursor.series`."""
        return self._course.series

    @property
    def lag(self) -> int:
        """How many points are known to exist that were not handed on."""
        with self._lock:
            return self._course.lag

    @property
    def missed(self) -> int:
        """How many points could not be fetched, or were left out."""
        with self._lock:
            return self._losses.number + self._course.missed

    def away_until(self, index: int | None) -> int | None:
        """As `Course.away_until`; ``None`` if there is no index."""
        with self._lock:
            return None if index is None else self._course.away_until(index)

    def stand(self) -> None:
        """Remember the place where it begins, unless that was done, or is not known yet; any thread may call this."""
        if self._is_placed:
            return
        with self._placing:
            with self._lock:
                place = self._course.place
            if place is not None and not self._is_placed:
                self._receiver.stands_at(place, moved=False)
                self._is_placed = True

    # --- what is heard, on the loop's thread --------------------------------------------------------------------------

    def began(self, seen: Seen, unread: bool) -> None:
        """The server tells of the stream from now on; as `Course.began`."""
        with self._lock:
            self._failures, self._is_pausing = 0, False
            self._may_have_lost(self._course.began(seen, unread))

    def obeyed(self, beginning: int) -> None:
        """The server has obeyed the command of that beginning; as `Course.obeyed`."""
        with self._lock:
            self._may_have_lost(self._course.obeyed(beginning))

    def _may_have_lost(self, points: bool) -> None:
        if points:
            self._lane.put(partial(self._receiver.tell, self._losses.connection()))
        self._schedule()

    def told(self, index: int | None, points: Sequence[Datapoint], size: int, claims: Sequence[Claim] = ()) -> None:
        """Take points that stand at *index*, ``None`` if they have none; of commands without an index, with the claims to them."""
        if index is None or not self._by_index:
            self._hand_as_they_came(points, claims)
            return
        with self._lock:
            self._course.told(index, points, size)
            self._schedule()

    def signal(self, number: int) -> bool:
        """A server that tells no indices told of so many points; return false if they cannot be read by index."""
        with self._lock:
            if not self.goes_by_index:
                return False
            self._course.signal(number)
            self._schedule()
            return True

    def gap(self, after: int) -> None:
        """The server did not tell of some points before that index."""
        with self._lock:
            self._course.gap(after)
            self._schedule()

    def lost(self, number: int, why: str = "were not told, as too much was waiting") -> None:
        """Points are lost that cannot be fetched."""
        with self._lock:
            told = self._losses.add(number, why)
        if told is not None:
            self._lane.put(partial(self._receiver.tell, told))

    def look(self) -> None:
        """Check whether the stream still exists, is the same, and has points that nobody told of."""
        with self._lock:
            if self.is_begun:
                self._course.look()
                self._schedule()

    def disconnected(self) -> None:
        """The connection is lost."""
        with self._lock:
            self._course.disconnected()

    def ended(self, reason: GoneReason) -> None:
        """The server no longer tells of the stream, as it is gone."""
        with self._lock:
            again, self._course.is_gone = self._course.is_gone, True
        if not again:
            self._lane.put(partial(self._end_with, reason))

    def poke(self) -> None:
        """Go on, after a pause."""
        with self._lock:
            self._is_pausing = False
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and self.is_begun and not self._is_pausing:
            self._scheduled = True
            self._lane.put(self._work)

    def _hand_as_they_came(self, points: Sequence[Datapoint], claims: Sequence[Claim]) -> None:
        dropped = 0
        for first in range(0, len(points), self._most):
            batch = Batch(points[first : first + self._most], self._path)
            claim = claims[first] if claims else None
            dropped += self._lane.put(partial(self._receiver.hand, batch, claim), len(batch))
        if dropped and self._options.overflow == "raise":
            self._lane.put(self._too_slow)
        elif dropped:
            self.lost(dropped, "were too many for the callback")

    # --- on the lane --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            with self._lock:
                self._scheduled, self._before = False, self._course.place
                if self._course.is_gone:
                    return
                beginnings = self._course.beginnings
            self._do_next(beginnings)
        except BaseException as error:
            if self._path.downlink and isinstance(error, SystemExit):  # of its callback, which may do so each time
                self._come_again(self._backoff.pause(1, random.random))
                raise
            if isinstance(error, KeyboardInterrupt):  # a thread that iterates is given these points again
                with self._lock:
                    self._course.back_to(self._before)
                    self._scheduled = False
            self.poke()
            raise

    def _come_again(self, seconds: float) -> None:
        """Hand the present command on once more, after so many seconds; its handler knows how far it came."""
        with self._lock:
            self._course.back_to(self._before)
            self._is_pausing = True
        self._later(seconds, self.poke)

    def _do_next(self, beginnings: int) -> None:
        self.stand()  # before anything is handed on: if the program ends now, the next one begins there
        try:
            more = self._step()
        except NotYet as not_yet:
            self._come_again(not_yet.seconds)
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
        """Take the next step; tell whether there may be another one."""
        with self._lock:
            step = self._course.next(self._most, self._pages.size)
        if isinstance(step, Hand):
            self._hand(step)
            with self._lock:
                return not self._course.is_at_rest
        if isinstance(step, Fetch):
            return self._fetch(step)
        if isinstance(step, Rest):
            self._rest(step)
        elif isinstance(step, Overflowed):
            self._too_slow()
        if step is None or isinstance(step, (Rest, Overflowed)):
            return False
        if isinstance(step, Look):
            self._reads.look()
        elif isinstance(step, Skip):
            length = self._reads.length()
            with self._lock:
                self._course.skipped(length)
        else:
            self._find(step)
        return True

    def _hand(self, hand: Hand) -> None:
        if hand.points:
            self._receiver.hand(Batch(hand.points, self._path, hand.first, hand.caught_up), None)

    def _fetch(self, fetch: Fetch) -> bool:
        sizes: list[int] = []
        points = self._reads.points(fetch.i1, fetch.after, sizes.append)
        self._pages.came(len(points or ()), sum(sizes))
        with self._lock:
            self._failures = 0
            found = self._course.fetched(fetch, points)
        if isinstance(found, Moved):
            return self._moved()
        if found is not None:
            self._hand(found)
        return True

    def _moved(self) -> bool:
        """Find out what became of the stream."""
        with self._lock:
            what = self._course.moved()
        if what == "ask":
            self._receiver.ask_again()
        elif what == "look":
            length = self._reads.length()
            with self._lock:
                self._course.looked_at(length)
        return what == "look"

    def _find(self, find: Find) -> None:
        """Find where to begin by time, or where to go on in a stream that is not what it was."""
        after = None
        if find.reason is None:
            assert self._options.since is not None
            after = to_seconds(self._options.since, self._clock.wall())
        t = after if find.reason is None else find.last_t
        length = find.seen.length
        if find.reason == "recreated":
            index = 0
        else:
            index = length if t is None else self._reads.index_after(t, length)
        with self._lock:
            place = self._course.found(find, index, after)
        if place is None:
            return
        if find.reason is not None:
            self._receiver.gone(find.reason)
        self._receiver.stands_at(place, find.reason is not None)

    def _rest(self, rest: Rest) -> None:
        if rest.number is not None:
            self._receiver.caught_up(rest.number)
        if rest.tries is not None:
            self._await(rest.tries)

    def _await(self, tries: int) -> None:
        """Look again soon for points that an original server told of; if they never come, check whether they are stored at all."""
        if tries < len(_NOT_YET):
            with self._lock:
                self._course.await_points()
            self._later(_NOT_YET[tries], self.poke)
            return
        is_ephemeral = self._reads.is_ephemeral()
        with self._lock:
            owed = self._course.await_no_points(is_ephemeral)
        if owed:
            self.lost(owed, "came before it was known that they are not stored")

    def _too_slow(self) -> None:
        self._receiver.tell(TooSlow(f"the callback of {str(self._path)!r} is too slow; the subscription has ended"))
        self._receiver.end()

    def _end_with(self, reason: GoneReason) -> None:
        """Hand on what was told before the stream was gone, as it can no longer be read; then say that it is gone."""
        with self._lock:
            hand = self._course.told_before(self._most)
        if hand is None:
            self._receiver.gone(reason)
        else:
            self._hand(hand)
            self._lane.put(partial(self._end_with, reason))

    # --- what fails ---------------------------------------------------------------------------------------------------

    def _failed(self, error: ConnectorDBError) -> None:
        if isinstance(error, TimedOut):
            self._pages.failed()
        with self._lock:
            self._failures += 1
            failures, self._is_pausing = self._failures, True
        asked = error.retry_after if isinstance(error, ResponseError) else None
        pause = max(self._backoff.pause(failures, random.random), asked or 0.0)
        log.info("live: %s could not be read: %s; again in %.1f s", self._path, error, pause)
        if is_refusal(error) and failures == 1:
            self._receiver.tell(error)
        self._later(pause, self.poke)

    def _refused(self, reason: GoneReason, beginnings: int) -> None:
        """The stream cannot be read: it is gone, unless the server has said meanwhile that it is there again."""
        with self._lock:
            if beginnings != self._course.beginnings:
                self._schedule()
                return
        self.ended(reason)
