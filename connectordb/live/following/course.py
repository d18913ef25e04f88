"""
How a subscription keeps to its stream, whatever becomes of the stream and of the connection. Pure.

A `Cursor` says what is next within one stream. Decided here is whether it is still that stream, and what follows if the connection is
lost or made again, or if the stream is deleted, made anew, restored, or no longer stored. There is no lock here: whoever shares this
has to lock.
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
    Find the place: by the time that the subscriber gave, or in a stream that is not what it was.

    Attributes:
        seen: The stream, as the server told of it or as it was looked at.
        reason: In what way it is not what it was; ``None`` if the subscription only begins.
        last_t: The time of the last point that was handed on, after which to go on; ``None`` if there is none.
    """

    seen: Seen
    reason: GoneReason | None
    last_t: float | None


class Look(NamedTuple):
    """Look whether a stream that cannot be read by index still exists."""


class Overflowed(NamedTuple):
    """End the subscription: there were too many points, and the subscriber wants it to end then."""


class Rest(NamedTuple):
    """
    Everything that is known to exist was handed on.

    Attributes:
        number: How many points had been missed; told once per connection, then ``None``.
        tries: If points were announced that cannot be read yet, how many times that has been so; otherwise ``None``.
    """

    number: int | None
    tries: int | None


Step = Find | Look | Overflowed | Hand | Fetch | Skip | Rest


class Course:
    """
    Decides what one subscription does next.

    Args:
        options: What the subscriber chose.
        by_index: Whether points have indices; what a transform makes at the server has none.
        place: Where to go on, if that is remembered.

    Attributes:
        beginnings: How many times the server has begun to tell of the stream, or was asked to.
        is_gone: Whether the stream is gone, as far as is known.
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
        self._was_away = False  # whether the connection was lost since the last beginning
        self._awaits_server = (
            False  # whether the server was asked to tell of the stream, and has not said yet that it does
        )
        self._looks = False
        self._seen: Seen | None = None  # the stream, if a place in it has to be found first
        self._after: float | None = None  # only points later than this were asked for
        self._awaits_series = False  # whether the server has to say first whether it is the same stream
        self._has_asked = False  # whether it was asked for that
        self._caught_up: int | None = None  # how many points were fetched since the connection was made; told once
        self._not_yet = 0  # how many times in a row announced points could not be read yet

    @property
    def goes_by_index(self) -> bool:
        """Whether points that the server did not tell of can be fetched."""
        return self._by_index and not self._is_ephemeral

    @property
    def place(self) -> Place | None:
        """Where it stands; ``None`` before that is known."""
        return self._cursor.place

    @property
    def series(self) -> str:
        """As `Cursor.series`."""
        return self._cursor.series

    @property
    def lag(self) -> int:
        """How many points are known to exist that were not handed on."""
        return self._cursor.lag

    @property
    def missed(self) -> int:
        """How many points were left out."""
        return self._cursor.missed

    def away_until(self, index: int) -> int | None:
        """If the point at *index* came while there was no connection, return the index after the last such point; else ``None``."""
        return self._absences.until(index)

    # --- what is heard ------------------------------------------------------------------------------------------------

    def began(self, seen: Seen, unread: bool) -> bool:
        """
        Note that the server tells of the stream from now on.

        Args:
            seen: The stream, as the server told of it or as it was looked at.
            unread: Whether points may have come since *seen* that the server does not tell of. If these could not be fetched, the
                server only counts as telling of the stream once it has `obeyed`.

        Returns:
            Whether points may be lost: the server did not tell of the stream for a while, and nothing can be fetched.
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
        """Note that the server has obeyed the command of that *beginning*; return the same as `began`."""
        if not self._awaits_server or beginning != self.beginnings:
            return False
        self._awaits_server, self._caught_up = False, 0
        was_away, self._was_away = self._was_away, False
        return self.beginnings > 1 and was_away

    def _begin_at(self, seen: Seen) -> None:
        """Decide where to begin or go on; if that takes a look at the stream, `next` returns a `Find`."""
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
            self._seen = seen  # it began at the end and was handed nothing, and now the end is before that
        else:
            # a smaller length proves nothing, as it may be older than what was read since; the point before the cursor does
            cursor.series = seen.series or cursor.series
            cursor.head(seen.length)
            cursor.doubt()

    def told(self, index: int, points: Sequence[Datapoint], size: int) -> None:
        """Take points that the server told of, which stand at *index*; *size* is their bytes on the wire."""
        if self._is_ephemeral:  # points with an index are stored, so it is no longer ephemeral
            self._is_ephemeral = False
            self._cursor.start(index, index)
        self._cursor.told(index, points, size)

    def signal(self, number: int) -> None:
        """Note that the server told of so many points, without their index."""
        self._cursor.signal(number)
        self._not_yet = 0

    def gap(self, after: int) -> None:
        """Note that the server did not tell of some points before that index."""
        self._cursor.head(after)

    def look(self) -> None:
        """Check, as the next step, whether the stream still exists, is the same, and has points that nobody told of."""
        if self.goes_by_index:
            self._cursor.doubt()
        else:
            self._looks = True

    def disconnected(self) -> None:
        """Note that the connection is lost."""
        self._caught_up, self._was_away, self._awaits_server = None, True, False
        self._awaits_series = bool(self._cursor.series)
        self._absences.left((self._cursor.next or 0) + self._cursor.lag)

    # --- what to do ---------------------------------------------------------------------------------------------------

    def next(self, most: int, page: int) -> Step | None:
        """Return what to do next; *most* points are handed on at most, or a *page* fetched. ``None``: wait for the server."""
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
        """Return points that were told of and not handed on, of a stream that can no longer be read; ``None`` if none are left."""
        step = self._cursor.step(most)
        return self._as_asked_for(step) if isinstance(step, Hand) else None

    @property
    def is_at_rest(self) -> bool:
        """Whether there is nothing to do, not even to say that everything is handed on."""
        return self._caught_up is None and self._cursor.is_at_rest

    def _to_be_found(self, seen: Seen) -> Find:
        cursor = self._cursor
        if cursor.next is None:
            return Find(seen, None, None)
        return Find(seen, "recreated" if seen.series != cursor.series else "restored", cursor.last_t)

    def _as_asked_for(self, hand: Hand) -> Hand:
        """Leave out what is not later than the subscriber asked for: that time may have been in the future."""
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
        """Take what a read brought, ``None`` if the stream ends before it; return what to do with it."""
        if points is None and self._cursor.last_t is not None:
            return Moved()
        # a subscription may begin beyond the end, and waits until the stream gets there
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
        Return how to find out what became of a stream that is not what it was.

        If the server has names for streams (`Cursor.series`), it is asked for the present one first, and its answer waited for;
        otherwise the stream is looked at, for `looked_at`.
        """
        if self._awaits_series:
            return "wait"
        asks = bool(self._cursor.series) and not self._has_asked
        self._has_asked = self._awaits_series = asks
        return "ask" if asks else "look"

    def looked_at(self, length: int) -> None:
        """Note that the stream has so many points, and that it is still the same one, as far as anybody can tell."""
        self._seen = Seen(length, self._cursor.series)

    def found(self, find: Find, index: int, after: float | None) -> Place | None:
        """
        Go on at *index*; return that place, or ``None`` if there was a new connection meanwhile, so that this no longer applies.

        Args:
            find: What was to be found.
            index: Where that is.
            after: The time that the subscriber gave, if it was found by that.
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
        """Read once more, for points that were announced and could not be read yet."""
        self._cursor.signal()

    def await_no_points(self, are_lost: bool) -> int:
        """No longer expect those points; if they *are_lost*, because the stream is not stored any more, return how many they are."""
        self._is_ephemeral = are_lost
        owed = self._cursor.lag if are_lost else 0
        self._cursor.forget_announced()
        return owed

    def back_to(self, place: Place | None) -> None:
        """Go back to *place*: what was handed on from there did not get to the subscriber."""
        if place is not None and place.series == self._cursor.series:
            self._cursor.start(place.next, place.next, place.last_t)
            self._cursor.signal()
