"""A stream's newest points, held up to date here."""

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
    The newest points of a stream, as they are known here; made by `connectordb.Stream.live`.

    Nothing that is read of it asks the server, or waits for it. What it holds came through a subscription; `is_stale` says
    whether something newer may be there by now.

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
        #: Ends what feeds it; set by who does.
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
        """Its value; ``None`` if there is no point."""
        newest = self._kept.newest
        return None if newest is None else newest.get("d")

    @property
    def t(self) -> float | None:
        """Its time, in seconds since 1970; ``None`` if there is no point."""
        newest = self._kept.newest
        return None if newest is None else float(newest.get("t", 0.0))

    @property
    def age(self) -> float | None:
        """
        How many seconds old it is; ``None`` if there is no point.

        That is how far this machine's clock is beyond the point's time, which was set by whoever wrote the point: where one of
        the two clocks is wrong, so is this. Of a point of the future it is below 0.
        """
        time = self.t
        return None if time is None else self._clock.wall() - time

    # --- what is kept -------------------------------------------------------------------------------------------------

    def points(self, which: ScriptLike | Callable[[Datapoint], object] | None = None) -> DatapointArray:
        """
        Return the points that are kept, the newest last; those of a span by this machine's clock.

        Args:
            which: Only those for which this function of a point says so; or what this PipeScript makes of them, which runs
                here: text, what `connectordb.pipescript.pipe` made, or a `connectordb.pipescript.Script`.

        Raises:
            PipeScriptError: The script is none, or fails on a point.
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
        """Yield the points that are kept now, the newest last; what comes meanwhile is not among them."""
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
        """Whether something newer may be there than what is known here."""
        return self._staleness.reason is not None

    @property
    def stale_since(self) -> float | None:
        """When it began to be so, in seconds since 1970 by this machine's clock; ``None`` if it is not."""
        return self._staleness.since

    @property
    def stale_reason(self) -> str | None:
        """
        Why it is: ``"connecting"``, ``"catching up"``, ``"closed"``; that the stream is gone: ``"deleted"``, ``"denied"`` and so
        on, as `connectordb.Stream.subscribe` has them; or ``"points missed"``, of a stream that is not stored, until there is
        another point. ``None`` if it is not.
        """
        return self._staleness.reason

    # --- changes ------------------------------------------------------------------------------------------------------

    def on_change(self, callback: OnChange) -> Listener:
        """
        Have *callback* called when there is another value than before.

        Args:
            callback: Called as ``callback(old, new)`` with the values, ``None`` for *old* if there was none; one call at a
                time, in order, on a thread of its own kind. If it raises, that is logged, and told to the *on_error* of
                `connectordb.Stream.live`. If it is slower than the stream, it is told of fewer changes (up to 1000 points wait
                for it); the old value is always the new one of the call before, and the newest is always told.

        Returns:
            What ends it, with ``close()``; there may be any number.

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
        Wait for a value of which *condition* says that it is the one, and return it; the present one may be.

        Args:
            condition: Called with values, in this thread: with the present one, then with each that comes, in order. What
                it raises is raised here.
            timeout: Seconds to wait at the most.

        Raises:
            TimedOut: No such value came in time.
            ClosedError: The mirror was closed, also meanwhile.
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
        Listen no more, and tell nobody any more, once this has returned; calling it twice does nothing.

        What is known stays to be read, as stale.

        Raises:
            TimedOut: A function of `on_change` still runs; it is not called again.
        """
        with ExitStack() as ending:  # each of them, also if another one's function does not end
            with self._changed:
                for listener in self._listeners:
                    ending.callback(listener.close)
            ending.callback(self.has_ended)
            ending.callback(self.end_feed)  # first

    def __repr__(self) -> str:
        """Return the path, the newest value, and whether it may be stale."""
        value = repr(self.value)
        stale = f", stale ({self.stale_reason})" if self.is_stale else ""
        return f"<Mirror of {self.path!r}: {value if len(value) <= 60 else value[:60] + '…'}{stale}>"

    # --- for what feeds it --------------------------------------------------------------------------------------------

    def take(self, points: Sequence[Datapoint], first: int | None = None) -> None:
        """Take in points that follow those that came before, of which the *first* has that index; one call at a time."""
        with self._changed:
            self._kept.add(points, self._clock.wall(), first)
            for unseen in self._waiters.values():
                unseen.extend(points)
            listeners = list(self._told.values())
            self._changed.notify_all()
        for told in listeners:
            told.came(points)

    def take_old(self, point: Datapoint) -> None:
        """Take in the newest point of before, if nothing newer is known."""
        with self._changed:
            self._kept.before(point)

    def is_fresh(self) -> None:
        """Take note that nothing newer is there."""
        with self._changed:
            if not self._closed:
                self._staleness.end()

    def goes_stale(self, reason: str) -> None:
        """Take note that something newer may be there."""
        with self._changed:
            if not self._closed:
                self._staleness.begin(reason)

    def begins_anew(self) -> None:
        """Take note that what is kept are points of a stream that is not there any more."""
        with self._changed:
            self._kept.clear()

    def has_ended(self) -> None:
        """Take note that nothing will come any more."""
        with self._changed:
            self._staleness.begin("closed")
            self._closed = True
            self._changed.notify_all()

    def failed(self, error: Exception) -> None:
        """Say what a function of a user raised; called where it is caught."""
        log.exception("a function of on_change of %r raised; it is called again at the next change", self.path)
        if self._on_error is not None:
            try:
                self._on_error(error)
            except Exception:
                log.exception("the on_error of %r raised", self.path)

    def tell(self, callback: OnChange, lane: Lane, listener: Listener) -> None:
        """Have *callback* told of changes, on *lane*, until *listener* is forgotten."""
        with self._changed:
            self._check_open()
            self._told[listener] = Told(callback, lane, self._kept.newest, self.failed)

    def forget(self, listener: Listener) -> None:
        """Tell whoever *listener* stands for no more."""
        with self._changed:
            self._told.pop(listener, None)
            self._listeners.discard(listener)

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"the mirror of {self.path!r} was closed")
