"""
Subscriptions with one rule taken out: each loses, doubles or hides something, and the harness has to see it.

``python -m tests.live_faults --broken`` runs each against the kind that must find it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from connectordb.exceptions import PointsMissed
from connectordb.live import ManySubscriptions
from connectordb.live.commanding.hearing import Hearing
from connectordb.live.downlinks.writing import _Attempt
from connectordb.live.following.course import Course
from connectordb.live.following.cursor import Cursor, Fetch
from connectordb.live.following.follower import Follower
from connectordb.live.following.reads import Seen
from connectordb.live.socket.patience import Patience
from connectordb.live.watching.subscription import Subscription
from connectordb.live.watching.switchboard import Switchboard


@dataclass(frozen=True)
class Variant:
    """
    A way to break subscriptions.

    Attributes:
        patch: Returns what does it, as long as it is entered.
        kind: The kind of faults that must find it.
        symptoms: Words of which one must be among what is found.
        features: Whether clients learn what our server can do; where one rule covers for another, only one of the two is asked.
    """

    patch: Callable[[], AbstractContextManager[object]]
    kind: str
    symptoms: tuple[str, ...]
    features: str = "on"


def _stays_away() -> AbstractContextManager[object]:
    """After a reconnect it goes on with what comes from then on."""

    begin_at = Course._begin_at

    def here(self: Any, seen: Seen) -> None:
        begin_at(self, seen)
        if self.beginnings > 1:
            self._cursor.start(seen.length, seen.length)

    return mock.patch.object(Course, "_begin_at", here)


def _goes_back() -> AbstractContextManager[object]:
    """After a reconnect it begins with the point that it handed on last."""
    begin_at = Course._begin_at

    def back(self: Any, seen: Seen) -> None:
        begin_at(self, seen)
        if self._cursor.next and self.beginnings > 1:
            self._cursor.start(self._cursor.next - 1, seen.length)
            self._cursor.signal()

    return mock.patch.object(Course, "_begin_at", back)


def _deaf() -> AbstractContextManager[object]:
    """It does not hear that the server has left points out."""
    return mock.patch.object(Follower, "gap", lambda self, after: None)


def _trusting() -> AbstractContextManager[object]:
    """It does not look at the point before the cursor, only at lengths."""
    step = Cursor.step

    def trusting(self: Any, *most: int) -> Any:
        self._doubt = False
        found = step(self, *most)
        return found._replace(checks=False) if isinstance(found, Fetch) else found

    return mock.patch.object(Cursor, "step", trusting)


def _gives_up() -> AbstractContextManager[object]:
    """What it could not read it passes over."""
    failed = Follower._failed

    def passes_over(self: Any, *error: Any) -> None:
        cursor = self._course._cursor
        if cursor.next is not None:
            cursor.start(max(cursor.next, cursor._head), cursor._head)
        failed(self, *error)

    return mock.patch.object(Follower, "_failed", passes_over)


def _believes() -> AbstractContextManager[object]:
    """A read that brought less than it asked for it takes for the proof that there is no more, whatever was told meanwhile."""
    read = Cursor._read_to_the_end
    return mock.patch.object(
        Cursor,
        "_read_to_the_end",
        lambda self, fetch: read(self, fetch._replace(fills=True, after=self._runs[0].first if self._runs else 0)),
    )


def _drops() -> AbstractContextManager[object]:
    """What is too much for a callback it does not fetch again."""

    def drop(self: Any) -> None:
        self._skip_to(self._runs[-1].first)
        self.missed = 0

    return mock.patch.object(Cursor, "_too_many", drop)


def _patient() -> AbstractContextManager[object]:
    """It takes no silence for the end."""
    return mock.patch.object(Patience, "is_dead", lambda self, now: False)


def _silent() -> AbstractContextManager[object]:
    """It does not say that its stream is not the same any more."""
    return mock.patch.object(Subscription, "gone", lambda self, reason: None)


def _hides() -> AbstractContextManager[object]:
    """It does not say what it has missed and cannot fetch."""
    tell = Subscription.tell

    def hides(self: Any, error: Exception, logged: bool = False) -> None:
        if not isinstance(error, PointsMissed) or error.number is not None:
            tell(self, error, logged)

    return mock.patch.object(Subscription, "tell", hides)


def _looks_away() -> AbstractContextManager[object]:
    """It never looks at a stream of which nothing is told."""
    looks = ExitStack()
    looks.enter_context(mock.patch.object(Follower, "look", lambda self: None))
    looks.enter_context(mock.patch.object(Switchboard, "_look_around", lambda self, epoch: None))
    return looks


def _late() -> AbstractContextManager[object]:
    """Of streams that appear among all of a device's it tells what comes once it has seen them."""
    watch = ManySubscriptions.watch
    return mock.patch.object(ManySubscriptions, "watch", lambda self, path, wait, options=None: watch(self, path, wait))


def _writes_again() -> AbstractContextManager[object]:
    """An acknowledgement of which nobody knows it writes again, without looking."""
    return mock.patch.object(_Attempt, "_is_there", lambda self: False)


def _takes_any() -> AbstractContextManager[object]:
    """Who commands takes the first record that comes for that of his command."""
    recorded = Hearing.recorded

    def any_record(self: Any, points: Any) -> None:
        recorded(self, points)
        self.index = min(self._records, default=None)

    return mock.patch.object(Hearing, "recorded", any_record)


VARIANTS = {
    "stays-away": Variant(_stays_away, "cut", ("missing", "begins with")),
    "goes-back": Variant(_goes_back, "cut", ("twice", "come again")),
    "deaf": Variant(_deaf, "gap", ("missing",)),
    "trusting": Variant(_trusting, "restored", ("nobody told", "missing")),
    "gives-up": Variant(_gives_up, "rest-fails", ("missing", "begins with")),
    "believes": Variant(_believes, "slow", ("missing", "it was not")),
    "drops": Variant(_drops, "slow", ("missing", "begins with")),
    "patient": Variant(_patient, "half-open", ("half-open connection",)),
    "silent": Variant(_silent, "recreated", ("nobody told",)),
    "hides": Variant(_hides, "cut", ("nobody said so",)),
    "late": Variant(_late, "wildcard", ("missing", "begins with")),
    "writes-again": Variant(_writes_again, "commands", ("acknowledgements are", "records are"), features="off"),
    "takes-any": Variant(_takes_any, "commands", ("which is the answer to", "was refused")),
    "looks-away": Variant(_looks_away, "denied", ("may not read",), features="off"),
}


@contextmanager
def without(name: str) -> Iterator[None]:
    """Take a rule out, for the length of a block; none if there is no name."""
    if not name:
        yield
        return
    with VARIANTS[name].patch():
        yield
