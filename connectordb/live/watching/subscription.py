"""One callback's subscription: what its owner sees of it, what runs there, and what becomes of errors."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from ...exceptions import LocalProtocolError, StreamGone
from ...protocol.paths import Path
from ...runtime.clock import AT_A_TIME, Deadline
from ..closing import Closing, by_its_process
from ..dispatch import Lane
from ..downlinks import Claim, Tell
from ..feedback import OnBehalfOf
from ..following import Follower, Seen
from ..handing import Batch, Handler
from ..options import STATES, GoneReason, Heard, Options, State
from ..remembering import Place
from .subscriptions import Key

log = logging.getLogger(__name__)

#: What a user gives: called with the path (of a downlink it ends in ``/downlink``) and the points. What it returns matters
#: for a downlink only.
Callback = Callable[[str, Batch], Any]

_GONE: dict[GoneReason, str] = {
    "deleted": "the stream is not there any more, or not for this caller; it is looked for again",
    "denied": "it may not be read any more; it is tried again",
    "recreated": "it was made anew; going on with its first point",
    "restored": "its end was lost, as if it was restored from a backup; going on with what is newer than the last point seen",
    "cleared": "all of its points were deleted; going on with what comes",
    "caller": "the device that watches it is not there any more",
    "exceeded": "its transform took too long, or made too much of an insert",
}


class Subscription(Closing):
    """
    What `Live.subscribe` returns: ends with `close`, or at the end of a ``with`` block.

    Attributes:
        path: What is watched.
        transform: The transform, or ``""``.
        follower: Brings the points.
        delivered: Points that the callback was called with.
        last_index: Where the last point that was handled stands in the stream; ``None`` before there was one, or if it has no place.
    """

    def __init__(
        self,
        path: Path,
        transform: str,
        callback: Callback,
        options: Options,
        *,
        lane: Lane,
        handler: Callable[[Tell], Handler],
        end: Callable[[Subscription], None],
        lost_sight: Callable[[Key], None],
        ask_again: Callable[[Key], None],
        follow: Callable[[Subscription, Place | None], Follower],
        heard: Heard | None = None,
    ) -> None:
        self.path = path
        self.transform = transform
        self.delivered = 0
        self.last_index: int | None = None
        self._callback = callback
        self._options = options
        self._lane = lane
        self._end = end
        self._lost_sight = lost_sight
        self._ask_again = ask_again
        self._heard = heard
        self._text = str(path)
        self._is_told = False  # by the server, on this connection
        self._is_placed = threading.Event()
        # guards the state; whoever waits for one waits on it
        self._changed = threading.Condition(threading.Lock())
        self._state: State = "connecting"
        self._handler = handler(self.tell)
        self.follower = follow(self, self._handler.resume())
        self._lane.put(self._handler.begin)

    @property
    def key(self) -> Key:
        """By what the server knows it."""
        return self._text, self.transform if self._options.at == "server" else ""

    @property
    def state(self) -> State:
        """How far it is: ``"connecting"``, ``"catching up"``, ``"live"``, ``"gone"`` or ``"closed"``."""
        return self._state

    @property
    def missed(self) -> int:
        """Points that could not be had, or were left out as the callback was too slow for them."""
        return self.follower.missed

    @property
    def lag(self) -> int:
        """Points that are known to be there and that the callback was not called with yet."""
        return self.follower.lag

    def wait(self, state: State, timeout: float) -> bool:
        """
        Wait until it is in *state*, *timeout* seconds at most; tell whether it is.

        It is ``"live"`` once all there was is handed on: of what is iterated over, when it was asked for, and where `pump` runs
        the callbacks, when it has. Who waits in the thread that does that waits in vain.

        Raises:
            LocalProtocolError: There is no such state.
        """
        if state not in STATES:
            raise LocalProtocolError(f"waiting for {state!r}: the states are {', '.join(map(repr, STATES))}")
        deadline = Deadline(timeout)
        with self._changed:
            while self._state != state and self._state != "closed" and not deadline.passed():
                self._changed.wait(min(deadline.left() or 0.0, AT_A_TIME))
            return self._state == state

    @by_its_process
    def close(self) -> None:
        """
        End it, and no other on the same stream; once this has returned, its callback runs no more.

        Called by the callback itself: this call is its last. Calling it twice does nothing.

        Raises:
            TimedOut: The callback still runs; it is not called again.
        """
        self._end(self)

    def __repr__(self) -> str:
        """Return what is watched, and how far it is."""
        through = f" through {self.transform!r}" if self.transform else ""
        return f"<Subscription to {self._text!r}{through}, {self._state}, {self.delivered} points>"

    # --- for Live -----------------------------------------------------------------------------------------------------

    @property
    def is_private(self) -> bool:
        """Whether others on the same stream neither replace nor end it."""
        return self._options.private

    def has_come_to(self, state: State) -> bool:
        """Take note of a state; tell whether it is news. After ``"closed"`` there is no other."""
        on_state = self._options.on_state
        with self._changed:
            if self._state in (state, "closed"):
                return False
            if state == "live" and self._state != "catching up":  # the connection was lost meanwhile
                return False
            self._state = state
            self._changed.notify_all()
            if on_state is not None and state != "closed":  # told in the order in which it came to them
                self._lane.put(partial(self._call, on_state, "on_state", state))
        if on_state is not None and state == "closed":  # the lane runs nothing any more
            self._call(on_state, "on_state", state)
        return True

    def prepare(self) -> None:
        """Make what it needs at the server; raises what refuses it."""
        self._handler.prepare()

    def is_placed(self, deadline: Deadline) -> bool:
        """
        Tell whether it is remembered where it begins, if it is to be; *deadline* is for what has to be found out first.

        Where that is done by who asks for points, or pumps, it is not waited for.
        """
        if self._options.remember is None:
            return True
        self.follower.stand()  # here, as all threads may be busy
        return not self._lane.has_threads or self._is_placed.wait(deadline.left())

    def began(self, seen: Seen, unread: bool) -> None:
        """Take note that the server tells of the stream from now on, as `Follower.began`."""
        if self._is_told:  # by a command that another gave, or that was repeated: nothing was lost
            return
        self._is_told = True
        self.has_come_to("catching up")
        self.follower.began(seen, unread)

    def disconnected(self) -> None:
        """Take note that it does not any more."""
        self._is_told = False
        self.follower.disconnected()
        self.has_come_to("connecting")

    def ended(self, reason: GoneReason) -> None:
        """Take note that it does not, as the stream is gone."""
        self._is_told = False
        self.follower.ended(reason)

    def refused(self, error: Exception) -> None:
        """Have it told that the stream cannot be watched now."""
        self._lane.put(lambda: self.tell(error))

    def finish(self, deadline: Deadline) -> bool:
        """Call the callback no more, and wait for the call that runs; tell whether it has ended."""
        self.has_come_to("closed")
        self._is_placed.set()  # nobody waits for that any more
        self._handler.close()  # first: what is being written to the server is tried once more at the most
        return self._lane.close(deadline)

    # --- on the lane --------------------------------------------------------------------------------------------------

    def hand(self, batch: Batch, claim: Claim | None) -> None:
        """Have the callback called, and what becomes of it done."""
        number, first = len(batch), batch.first_index
        away_until = self.follower.away_until(first) if self.path.downlink else None
        self._handler.handle(batch, self._act, self.follower.series, claim, away_until)
        if first is not None:
            self.last_index = first + number - 1

    def _act(self, batch: Batch) -> object:
        number = len(batch)  # the callback may change its list
        try:
            with OnBehalfOf(self.path):
                return self._callback(self._text, batch)
        finally:
            self.delivered += number
            if self._heard is not None:
                self._heard(number)

    def stands_at(self, place: Place, moved: bool) -> None:
        """Have the place remembered before anything came from there."""
        self._handler.stands_at(place, moved)
        self._is_placed.set()

    def caught_up(self, number: int) -> None:
        """Say that all there was is handed on."""
        if self.has_come_to("live"):
            self._call(self._options.on_subscribed, "on_subscribed", number)

    def gone(self, reason: GoneReason) -> None:
        """Say that the stream is not there, or not as it was."""
        log.warning("live: %s: %s", self._text, _GONE[reason])
        if reason not in ("recreated", "restored"):
            self.has_come_to("gone")
            self._is_told = False
            self._lost_sight(self.key)
        if self._options.on_gone is None:
            self.tell(StreamGone(f"{self._text!r}: {_GONE[reason]}", reason), logged=True)
        else:
            self._call(self._options.on_gone, "on_gone", reason)

    def ask_again(self) -> None:
        """Have the server told of it once more, and answer which stream it is."""
        self._is_told = False
        self._ask_again(self.key)

    def tell(self, error: Exception, logged: bool = False) -> None:
        """Say what went wrong."""
        if self._options.on_error is None:
            if not logged:
                log.error("the subscription to %r: %s", self._text, error)
            return
        self._call(self._options.on_error, "on_error", error)

    def end(self) -> None:
        """End: nothing is to follow."""
        self._end(self)

    def _call(self, listener: Callable[[Any], Any] | None, name: str, value: object) -> None:
        if listener is not None:
            try:
                listener(value)
            except Exception:
                log.exception("the %s of %r raised", name, self._text)
