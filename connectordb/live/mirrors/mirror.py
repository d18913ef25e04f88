"""A stream's newest points, kept up to date here."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from ...datapoints import DatapointArray
from ...exceptions import ClosedError, TimedOut
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ...protocol.scripts import SaysScript, ScriptLike
from ...runtime.clock import AT_A_TIME, Clock, Deadline
from ..closing import Closing, by_its_process
from ..dispatch import Lane
from .kept import Keep, Kept
from .listeners import MOST_WAITING, Listener, OnChange, OnError, Told
from .staleness import Staleness

log = logging.getLogger(__name__)


class Mirror(Closing):
    """
    The newest points of a stream, as far as they are known here; made by `connectordb.Stream.live`.

    Reading it never asks the server, or waits for it. What it holds came through a subscription; `is_stale` tells
    whether there may be something newer by now.

    Attributes:
        path: The stream's path.
    """

    def __init__(
        self, path: Path, keep: Keep, *, lane: Callable[[], Lane], clock: Clock, on_error: OnError | None = None
    ) -> None:
        self.path = str(path)
        self._lane = lane
        self._clock = clock
        self._on_error = on_error
        #: Ends the subscription that feeds it; set by the `Feed`.
        self.end_feed: Callable[[], None] = lambda: None
        # guards everything below
        self._changed = threading.Condition(threading.Lock())
        self._kept = Kept(keep)
        self._staleness = Staleness(clock)
        self._told: dict[Listener, Told] = {}
        self._listeners: set[Listener] = set()
        self._waiters: dict[int, deque[Datapoint]] = {}
        self._closed = False

    # --- the newest point ---------------------------------------------------------------------------------------------

    @property
    def point(self) -> Datapoint | None:
        """The newest point; ``None`` if there is none."""
        newest = self._kept.newest
        return None if newest is None else dict(newest)

    @property
    def value(self) -> Any:
        """The newest point's value; ``None`` if there is no point."""
        newest = self._kept.newest
        return None if newest is None else newest.get("d")

    @property
    def t(self) -> float | None:
        """The newest point's time, in seconds since 1970; ``None`` if there is no point."""
        newest = self._kept.newest
        return None if newest is None else float(newest.get("t", 0.0))

    @property
    def age(self) -> float | None:
        """
        How many seconds old the newest point is; ``None`` if there is no point.

        That is this machine's time minus the point's time, which was set by whoever wrote the point: if one of the two clocks is
        wrong, so is this. For a point of the future it is negative.
        """
        time = self.t
        return None if time is None else self._clock.wall() - time

    # --- what is kept -------------------------------------------------------------------------------------------------

    def points(self, which: ScriptLike | Callable[[Datapoint], object] | None = None) -> DatapointArray:
        """
        Return the points that are kept, the newest last. If a span of time is kept, it is reckoned by this machine's clock.

        Args:
            which: A function of a point: only points for which it is true are returned. Or a PipeScript, which runs here, and whose
                results are returned: text, what `connectordb.pipescript.pipe` made, or a `connectordb.pipescript.Script`.

        Raises:
            PipeScriptError: The script is not valid, or fails on a point.
        """
        with self._changed:
            kept = self._kept.points(self._clock.wall())
        array = DatapointArray(dict(point) for point in kept)
        if which is None:
            return array
        if isinstance(which, (str, SaysScript)):
            return array.transform(which)
        return DatapointArray(point for point in array if which(point))

    def __iter__(self) -> Iterator[Datapoint]:
        """Yield the points that are kept now, the newest last, without those that come meanwhile."""
        return iter(self.points())

    def __len__(self) -> int:
        """Return how many points are kept."""
        with self._changed:
            return len(self._kept.points(self._clock.wall()))

    def __bool__(self) -> bool:
        """Be true, also without points."""
        return True

    # --- how sure it is -----------------------------------------------------------------------------------------------

    @property
    def is_stale(self) -> bool:
        """Whether there may be something newer than what is known here."""
        return self._staleness.reason is not None

    @property
    def stale_since(self) -> float | None:
        """Since when it has been stale, in seconds since 1970 by this machine's clock; ``None`` if it is not."""
        return self._staleness.since

    @property
    def stale_reason(self) -> str | None:
        """
        Why it is stale; ``None`` if it is not.

        It may be ``"connecting"``, ``"catching up"`` or ``"closed"``; the reason why the stream is gone, such as ``"deleted"`` or
        ``"denied"``, as for `connectordb.Stream.subscribe`; or, for a stream that is not stored, ``"points missed"`` until there
        is another point.
        """
        return self._staleness.reason

    # --- changes ------------------------------------------------------------------------------------------------------

    def on_change(self, callback: OnChange) -> Listener:
        """
        Call *callback* whenever the value changes.

        Args:
            callback: Called as ``callback(old, new)`` with the values, ``None`` for *old* if there was none; one call at a
                time, in order, on a thread for callbacks. If it raises, that is logged, and told to the *on_error* of
                `connectordb.Stream.live`. If it is slower than the stream, it is told of fewer changes (up to 1000 points wait
                for it); but *old* is always the *new* of the call before, and it is always told of the newest value.

        Returns:
            A listener, whose ``close()`` ends this. There may be any number of them.

        Raises:
            ClosedError: The mirror was closed.
        """
        lane = self._lane()
        listener = Listener(lane, self.forget)
        self.tell(callback, lane, listener)
        with self._changed:
            self._listeners.add(listener)
        return listener

    def wait_for(self, condition: Callable[[Any], object], timeout: float) -> Any:
        """
        Wait for a value for which *condition* is true, and return it; it may be the present one.

        Args:
            condition: Called with values, on this thread: with the present one, then with each that comes, in order. What
                it raises is raised here.
            timeout: Seconds to wait at most.

        Raises:
            TimedOut: No such value came in time.
            ClosedError: The mirror was closed, before or meanwhile.
        """
        deadline = Deadline(timeout, self._clock)
        unseen: deque[Datapoint] = deque(maxlen=MOST_WAITING)
        with self._changed:
            if self._kept.newest is not None:
                unseen.append(self._kept.newest)
            self._waiters[id(unseen)] = unseen
        try:
            while True:
                value = self._next(unseen, deadline, timeout).get("d")
                if condition(value):
                    return value
        finally:
            with self._changed:
                del self._waiters[id(unseen)]

    def _next(self, unseen: deque[Datapoint], deadline: Deadline, timeout: float) -> Datapoint:
        with self._changed:
            while not unseen:
                self._check_open()
                if deadline.passed():
                    stale = f"; nothing new is heard, as it is {self.stale_reason!r}" if self.is_stale else ""
                    raise TimedOut(f"{self.path!r} came to no such value within {timeout:g} s{stale}")
                self._changed.wait(min(deadline.left() or 0.0, AT_A_TIME))
            self._check_open()
            return unseen.popleft()

    # --- the end ------------------------------------------------------------------------------------------------------

    @by_its_process
    def close(self) -> None:
        """
        Stop listening. Once this has returned, no function of `on_change` is running. Calling it twice does nothing.

        What is known can still be read, as stale.

        Raises:
            TimedOut: A function of `on_change` is still running; it will not be called again.
        """
        with ExitStack() as ending:  # all are closed, even if one raises because its function does not end
            with self._changed:
                for listener in self._listeners:
                    ending.callback(listener.close)
            ending.callback(self.has_ended)
            ending.callback(self.end_feed)  # the stack calls what was added last first

    def __repr__(self) -> str:
        """Say the path, the newest value, and whether that is stale."""
        value = repr(self.value)
        stale = f", stale ({self.stale_reason})" if self.is_stale else ""
        return f"<Mirror of {self.path!r}: {value if len(value) <= 60 else value[:60] + '…'}{stale}>"

    # --- for what feeds it --------------------------------------------------------------------------------------------

    def take(self, points: Sequence[Datapoint], first: int | None = None) -> None:
        """Take points that follow those that came before; *first* is the index of the first, if it has one. One call at a time."""
        with self._changed:
            self._kept.add(points, self._clock.wall(), first)
            for unseen in self._waiters.values():
                unseen.extend(points)
            listeners = list(self._told.values())
            self._changed.notify_all()
        for told in listeners:
            told.came(points)

    def take_old(self, point: Datapoint) -> None:
        """Take the newest point, which is too old to be kept, unless a newer one is known."""
        with self._changed:
            self._kept.before(point)

    def is_fresh(self) -> None:
        """There is nothing newer than what is known here."""
        with self._changed:
            if not self._closed:
                self._staleness.end()

    def goes_stale(self, reason: str) -> None:
        """There may be something newer than what is known here."""
        with self._changed:
            if not self._closed:
                self._staleness.begin(reason)

    def begins_anew(self) -> None:
        """The points kept here are those of a stream that no longer exists."""
        with self._changed:
            self._kept.clear()

    def has_ended(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._staleness.begin("closed")
            self._closed = True
            self._changed.notify_all()

    def failed(self, error: Exception) -> None:
        """Log what a user's function raised, and tell it; to be called in the ``except`` block that caught it."""
        log.exception("a function of on_change of %r raised; it is called again at the next change", self.path)
        if self._on_error is not None:
            try:
                self._on_error(error)
            except Exception:
                log.exception("the on_error of %r raised", self.path)

    def tell(self, callback: OnChange, lane: Lane, listener: Listener) -> None:
        """Tell *callback* of changes, on *lane*, until *listener* is forgotten."""
        with self._changed:
            self._check_open()
            self._told[listener] = Told(callback, lane, self._kept.newest, self.failed)

    def forget(self, listener: Listener) -> None:
        """Stop telling the function that *listener* stands for."""
        with self._changed:
            self._told.pop(listener, None)
            self._listeners.discard(listener)

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"the mirror of {self.path!r} was closed")
