"""One callback's subscription: what its owner sees of it, what is called when, and what becomes of errors."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from ...exceptions import LocalProtocolError, StreamGone
from ...protocol.paths import Path
from ...runtime.clock import AT_A_TIME, SYSTEM, Deadline
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

#: A user's callback: called with the path (that of a downlink ends in ``/downlink``) and the points. What it returns matters only
#: for a downlink.
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
    What `Live.subscribe` returns. It ends with `close`, or at the end of a ``with`` block.

    Attributes:
        path: What is watched.
        transform: The transform, or ``""``.
        follower: Brings the points.
        delivered: How many points the callback was called with.
        last_index: The index of the last point that was handled; ``None`` before there was one, or if points have no index.
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
        self._is_told = False  # whether the server tells of it, on this connection
        self._gone: tuple[GoneReason, float] | None = None  # why it is not there, and since when
        self._is_placed = threading.Event()
        # guards the state; `wait` waits on it
        self._changed = threading.Condition(threading.Lock())
        self._state: State = "connecting"
        self._handler = handler(self.tell)
        self.follower = follow(self, self._handler.resume())
        self._lane.put(self._handler.begin)

    @property
    def key(self) -> Key:
        """The path and the transform by which the server knows it; it knows of no transform that runs here."""
        return self._text, self.transform if self._options.at == "server" else ""

    @property
    def state(self) -> State:
        """How far it has come: ``"connecting"``, ``"catching up"``, ``"live"``, ``"gone"`` or ``"closed"``."""
        return self._state

    @property
    def missed(self) -> int:
        """How many points could not be fetched, or were left out because the callback was too slow."""
        return self.follower.missed

    @property
    def lag(self) -> int:
        """How many points are known to exist that the callback has not been called with yet."""
        return self.follower.lag

    def wait(self, state: State, timeout: float) -> bool:
        """
        Wait until it is in *state*, for *timeout* seconds at most; tell whether it is.

        It is ``"live"`` once every point that existed has been handed on: to the callback, or to the thread that iterates or calls
        `pump`. That thread must not wait here, as it would wait for itself.

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
        End this subscription, and no other to the same stream. Once this has returned, its callback is not running.

        The callback itself may call this; then its present call is the last. Calling it twice does nothing.

        Raises:
            TimedOut: The callback is still running; it will not be called again.
        """
        self._end(self)

    def __repr__(self) -> str:
        """Say what is watched, and how far it has come."""
        through = f" through {self.transform!r}" if self.transform else ""
        return f"<Subscription to {self._text!r}{through}, {self._state}, {self.delivered} points>"

    # --- for Live -----------------------------------------------------------------------------------------------------

    @property
    def is_private(self) -> bool:
        """Whether other subscriptions to the same stream neither replace nor end it."""
        return self._options.private

    def is_deleted_for(self, seconds: float) -> bool:
        """Whether the stream was deleted that long ago, and has not been there since."""
        gone = self._gone
        return gone is not None and gone[0] == "deleted" and SYSTEM.monotonic() >= gone[1] + seconds

    def has_come_to(self, state: State) -> bool:
        """Enter a state; tell whether it is a new one. ``"closed"`` is the last."""
        on_state = self._options.on_state
        with self._changed:
            if self._state in (state, "closed"):
                return False
            if state == "live" and self._state != "catching up":  # the connection was lost meanwhile
                return False
            self._state = state
            self._changed.notify_all()
            if on_state is not None and state != "closed":  # under the lock, so that states are told in their order
                self._lane.put(partial(self._call, on_state, "on_state", state))
        if on_state is not None and state == "closed":  # not on the lane, which runs nothing any more
            self._call(on_state, "on_state", state)
        return True

    def prepare(self) -> None:
        """Create what it needs at the server, which may refuse that: raises what went wrong."""
        self._handler.prepare()

    def is_placed(self, deadline: Deadline) -> bool:
        """
        Wait until the place where it begins is remembered, if it is to be; tell whether that was done before the *deadline*.

        If that is up to a thread which iterates, or calls `pump`, it is not waited for.
        """
        if self._options.remember is None:
            return True
        self.follower.stand()  # on this thread, as all threads of callbacks may be busy
        return not self._lane.has_threads or self._is_placed.wait(deadline.left())

    def began(self, seen: Seen, unread: bool) -> None:
        """The server tells of the stream from now on; as `Follower.began`."""
        if self._is_told:  # it did so already (a command was repeated, or was another subscription's): nothing was lost
            return
        self._is_told = True
        self._gone = None
        self.has_come_to("catching up")
        self.follower.began(seen, unread)

    def disconnected(self) -> None:
        """The connection is lost, so the server no longer tells of the stream."""
        self._is_told = False
        self.follower.disconnected()
        self.has_come_to("connecting")

    def ended(self, reason: GoneReason) -> None:
        """The server no longer tells of the stream, as that is gone."""
        self._is_told = False
        self.follower.ended(reason)
        if self._gone is not None:  # it was told already, before a reconnect
            self.has_come_to("gone")

    def refused(self, error: Exception) -> None:
        """The stream cannot be watched now; this is told on the lane."""
        self._lane.put(lambda: self.tell(error))

    def finish(self, deadline: Deadline) -> bool:
        """Do not call the callback again, and wait for a call that is running; tell whether it has ended."""
        self.has_come_to("closed")
        self._is_placed.set()  # whoever waits for that need not any more
        self._handler.close()  # before the lane: what is being written to the server is then tried at most once more
        return self._lane.close(deadline)

    # --- on the lane --------------------------------------------------------------------------------------------------

    def hand(self, batch: Batch, claim: Claim | None) -> None:
        """Handle a batch: call the callback, and do what follows from the outcome."""
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
        """Remember the place where it begins, before the first point was handed on."""
        self._handler.stands_at(place, moved)
        self._is_placed.set()

    def caught_up(self, number: int) -> None:
        """Say that everything that existed has been handed on."""
        if self.has_come_to("live"):
            self._call(self._options.on_subscribed, "on_subscribed", number)

    def gone(self, reason: GoneReason) -> None:
        """Say that the stream is gone, or not what it was."""
        log.warning("live: %s: %s", self._text, _GONE[reason])
        if reason not in ("recreated", "restored"):
            self._gone = reason, SYSTEM.monotonic()
            self.has_come_to("gone")
            self._is_told = False
            self._lost_sight(self.key)
        if self._options.on_gone is None:
            self.tell(StreamGone(f"{self._text!r}: {_GONE[reason]}", reason), logged=True)
        else:
            self._call(self._options.on_gone, "on_gone", reason)

    def ask_again(self) -> None:
        """Subscribe once more: the server's answer says which stream it is."""
        self._is_told = False
        self._ask_again(self.key)

    def tell(self, error: Exception, logged: bool = False) -> None:
        """Tell the subscriber what went wrong; without an ``on_error``, log it, unless that was done."""
        if self._options.on_error is None:
            if not logged:
                log.error("the subscription to %r: %s", self._text, error)
            return
        self._call(self._options.on_error, "on_error", error)

    def end(self) -> None:
        """End the subscription."""
        self._end(self)

    def _call(self, listener: Callable[[Any], Any] | None, name: str, value: object) -> None:
        if listener is not None:
            try:
                listener(value)
            except Exception:
                log.exception("the %s of %r raised", name, self._text)
