"""
How a subscription keeps to its stream, whatever becomes of the stream and of the connection: pure; whoever shares it brings the lock.

A `Cursor` says what is next in one stream. Whether it is still that stream is decided here, and what it means that nothing is told
any more, that it is told again, that the stream was deleted, made anew, restored, or is stored no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from ...protocol.points import Datapoint
from ..downlinks import Absences
from ..options import GoneReason, Options
from ..remembering import Place
from .cursor import Cursor, Fetch, Hand, Moved, Skip
from .reads import Seen


class Find(NamedTuple):
    """
    The place is to be found: by the time that the subscriber gave, or in a stream that is not as it was.

    Attributes:
        seen: The stream, as it was told or looked at.
        reason: What it is not; ``None``: it is where to begin.
        last_t: The time of the last point that was handed on, by which to go on; ``None`` if there is none.
    """

    seen: Seen
    reason: GoneReason | None
    last_t: float | None


class Look(NamedTuple):
    """It is to be looked whether a stream that cannot be read by index is still there."""


class Overflowed(NamedTuple):
    """There were too many points for who wants to end then."""


class Rest(NamedTuple):
    """
    All that is known to be there was handed on.

    Attributes:
        number: How many points were missed meanwhile, once a connection.
        tries: If points were told of that are not there yet, how often that was so; ``None``: none were.
    """

    number: int | None
    tries: int | None


Step = Find | Look | Overflowed | Hand | Fetch | Skip | Rest


class Course:
    """
    See above.

    Args:
        options: What the subscriber chose.
        by_index: Whether points have places: not what a transform makes at the server.
        place: Where to go on, if it is remembered.

    Attributes:
        beginnings: How often the server has begun to tell of the stream, or was asked to.
        is_gone: Whether the stream is not there, as far as is known.
    """

    def __init__(self, options: Options, by_index: bool, place: Place | None) -> None:
        self._since = options.since
        self._by_index = by_index
        self._cursor = Cursor(options.overflow)
        if place is not None:
            self._cursor.start(place.next, place.next, place.last_t)
            self._cursor.series = place.series
        self._absences = Absences()
        self.beginnings = 0
        self.is_gone = False
        self._is_ephemeral = False
        self._was_away = False
        self._awaits_server = False  # which was asked to tell of the stream, and has not said that it does
        self._looks = False
        self._seen: Seen | None = None  # of a stream that has to be told from the one before
        self._after: float | None = None  # what is not later was not asked for
        self._awaits_series = False  # whether the server is to say first whether it is the same stream
        self._has_asked = False
        self._caught_up: int | None = None  # points fetched since the connection was made; told once
        self._not_yet = 0

    @property
    def goes_by_index(self) -> bool:
        """Whether what was not told can be fetched."""
        return self._by_index and not self._is_ephemeral

    @property
    def place(self) -> Place | None:
        """Where it stands; ``None`` before that is known."""
        return self._cursor.place

    @property
    def series(self) -> str:
        """What tells the stream from another one at its path; ``""`` if the server does not say."""
        return self._cursor.series

    @property
    def lag(self) -> int:
        """Points that are known to be there and were not handed on."""
        return self._cursor.lag

    @property
    def missed(self) -> int:
        """Points that were left out."""
        return self._cursor.missed

    def away_until(self, index: int) -> int | None:
        """Return the index behind what came while there was no connection, if the point at *index* did; ``None`` if not."""
        return self._absences.until(index)

    # --- what is heard ------------------------------------------------------------------------------------------------

    def began(self, seen: Seen, unread: bool) -> bool:
        """
        Take note that the server tells of the stream from now on, and, if *unread*, that it has not told of all since *seen*.

        Where nothing can be fetched, it does not tell of it before it has `obeyed`, if *unread*.

        Returns:
            Whether points may be lost, as it did not tell of them for a while and they cannot be fetched.
        """
        self.beginnings += 1
        self._is_ephemeral, self.is_gone, self._awaits_series = seen.ephemeral, False, False
        self._awaits_server = unread and not self.goes_by_index
        if self._awaits_server:
            return False
        self._caught_up = 0
        was_away, self._was_away = self._was_away, False
        if not self.goes_by_index:
            return self.beginnings > 1 and was_away
        self._absences.back(seen.length)
        self._begin_at(seen)
        if unread:
            self._cursor.signal()
        return False

    def obeyed(self, beginning: int) -> bool:
        """Take note that the server tells of the stream now, since that *beginning*; return as `began`."""
        if not self._awaits_server or beginning != self.beginnings:
            return False
        self._awaits_server, self._caught_up = False, 0
        was_away, self._was_away = self._was_away, False
        return self.beginnings > 1 and was_away

    def _begin_at(self, seen: Seen) -> None:
        """Decide where to begin, or to go on; what needs a look at the stream comes as a `Find`."""
        cursor, since = self._cursor, self._since
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

    def told(self, index: int, points: Sequence[Datapoint], size: int) -> None:
        """Take points that the server told of, which stand at *index*; *size* is their bytes on the wire."""
        if self._is_ephemeral:  # it is stored from now on
            self._is_ephemeral = False
            self._cursor.start(index, index)
        self._cursor.told(index, points, size)

    def signal(self, number: int) -> None:
        """Take note that so many points were told of, nobody says where."""
        self._cursor.signal(number)
        self._not_yet = 0

    def gap(self, after: int) -> None:
        """Take note that points before that index were not told."""
        self._cursor.head(after)

    def look(self) -> None:
        """Have it seen whether the stream is still there, and the same, and has what nobody told of."""
        if self.goes_by_index:
            self._cursor.doubt()
        else:
            self._looks = True

    def disconnected(self) -> None:
        """Take note that nothing is told any more."""
        self._caught_up, self._was_away, self._awaits_server = None, True, False
        self._awaits_series = bool(self._cursor.series)
        self._absences.left((self._cursor.next or 0) + self._cursor.lag)

    # --- what to do ---------------------------------------------------------------------------------------------------

    def next(self, most: int, page: int) -> Step | None:
        """Return what is to be done: hand on *most* points at most, or fetch a *page*; ``None``: it waits for the server."""
        if self._seen is not None:
            return self._to_be_found(self._seen)
        if self._looks:
            self._looks = False
            return Look()
        step = self._cursor.step(most, page)
        if self._cursor.overflowed:
            return Overflowed()
        if isinstance(step, Hand):
            return self._as_asked_for(step)
        if step is None:
            return self._rest()
        return None if self._awaits_series else step

    def told_before(self, most: int) -> Hand | None:
        """Return what was told and not handed on, of a stream that cannot be read any more; ``None``: nothing is left."""
        step = self._cursor.step(most)
        return self._as_asked_for(step) if isinstance(step, Hand) else None

    @property
    def is_at_rest(self) -> bool:
        """Whether there is nothing to do, not even to say that all is handed on."""
        return self._caught_up is None and self._cursor.is_at_rest

    def _to_be_found(self, seen: Seen) -> Find:
        cursor = self._cursor
        if cursor.next is None:
            return Find(seen, None, None)
        return Find(seen, "recreated" if seen.series != cursor.series else "restored", cursor.last_t)

    def _as_asked_for(self, hand: Hand) -> Hand:
        """Leave out what is not later than the subscriber asked for, who may have named a time that was to come."""
        if self._after is None or hand.points[0].get("t", 0.0) > self._after:
            return hand
        early = sum(point.get("t", 0.0) <= self._after for point in hand.points)
        return Hand(hand.first + early, hand.points[early:], hand.caught_up)

    def _rest(self) -> Rest:
        number, self._caught_up = self._caught_up, None
        tries, self._not_yet = self._not_yet, self._not_yet + 1
        return Rest(number, tries if self._cursor.lag > 0 else None)

    # --- what came of it ----------------------------------------------------------------------------------------------

    def fetched(self, fetch: Fetch, points: Sequence[Datapoint] | None) -> Hand | Moved | None:
        """Take what a read brought; ``None``: the stream ends before it."""
        if points is None and self._cursor.last_t is not None:
            return Moved()
        # who begins behind the end waits until it comes there
        found = self._cursor.fetched(fetch, points or [])
        if not isinstance(found, Hand):
            return found
        if self._caught_up is not None:
            self._caught_up += len(found.points)
        return self._as_asked_for(found)

    def skipped(self, length: int) -> None:
        """Leave out all but the newest of *length* points."""
        self._cursor.skipped(length)

    def moved(self) -> Literal["ask", "look", "wait"]:
        """
        Return how to find out what became of a stream that is not as it was.

        Where the server tells it from others at its path, that is asked first, or waited for; otherwise it is looked at, for
        `looked_at`.
        """
        if self._awaits_series:
            return "wait"
        asks = bool(self._cursor.series) and not self._has_asked
        self._has_asked = self._awaits_series = asks
        return "ask" if asks else "look"

    def looked_at(self, length: int) -> None:
        """Take note that the stream has so many points, and is the same, or nobody can tell."""
        self._seen = Seen(length, self._cursor.series)

    def found(self, find: Find, index: int, after: float | None) -> Place | None:
        """
        Go on at *index*; return that place, or ``None``: the connection was made anew meanwhile, and it is another one.

        Args:
            find: What was to be found.
            index: Where it is.
            after: The time that the subscriber gave, if that was it.
        """
        if self._seen is not find.seen:
            return None
        self._seen = None
        self._has_asked = False
        if find.reason is not None:
            self._absences.forget()
        self._after = after
        self._cursor.series = find.seen.series
        self._cursor.start(index, find.seen.length)
        self._cursor.signal()
        return Place(index, None, find.seen.series)

    def await_points(self) -> None:
        """Have it read once more what was told of and is not there yet."""
        self._cursor.signal()

    def await_no_points(self, are_lost: bool) -> int:
        """Wait for those no more; return how many they are, if they *are_lost*, as the stream is not stored any more."""
        self._is_ephemeral = are_lost
        owed = self._cursor.lag if are_lost else 0
        self._cursor.forget_announced()
        return owed

    def back_to(self, place: Place | None) -> None:
        """Begin once more at *place*: what came from there was not taken."""
        if place is not None and place.series == self._cursor.series:
            self._cursor.start(place.next, place.next, place.last_t)
            self._cursor.signal()
