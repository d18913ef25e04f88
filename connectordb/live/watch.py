"""``with stream.watch() as points``: the points of a stream, one by one, on the thread that asks for them."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from ..exceptions import LocalProtocolError, StreamGone, TimedOut
from ..protocol.points import Datapoint
from ..runtime.clock import Deadline
from .closing import Closing, by_its_process
from .dispatch import Pool
from .following import QUEUE_LIMIT
from .handing import Batch
from .options import GoneReason, State

if TYPE_CHECKING:
    from typing_extensions import Self

    from .watching import Subscription


class Watch(Closing):
    """
    An iterator over the points of a stream, as they come: each once, in order, as for a callback.

    Points wait until they are asked for: a few in memory, all others at the server. So no thread runs user code, and a slow program
    misses nothing. The iteration ends, without an error, when the watch is closed, or when nothing came for *timeout* seconds. After
    an error it can be continued. Only one thread may iterate at a time; any thread may close it.

    Args:
        path: What is watched, as text.
        timeout: Seconds without a point after which the iteration ends; ``None`` for never.

    Attributes:
        subscription: What brings the points: its state, how many came, how many are known to wait. It is ``"live"`` once all points
            that existed have been iterated over.
        index: The index of the last point in its stream; ``None`` if points have no index.
        sender: The device that wrote the last point.
        caught_up: Whether the last point was fetched afterwards, rather than sent by the server when it was inserted.
    """

    def __init__(self, path: str, timeout: float | None) -> None:
        self._path = path
        self._timeout = timeout
        self._pool = Pool("watch", 0)
        self.lane = self._pool.lane(QUEUE_LIMIT)
        self._batch = Batch()
        self._taken = 0  # how many points of the batch were returned
        self._is_closed = False
        self._iterating: int | None = None  # the id of the thread that iterates
        self._next_index: int | None = None  # to recognise a batch that comes again, after Ctrl-C
        self._errors: deque[Exception] = deque()
        self.subscription: Subscription
        self.index: int | None = None
        self.sender = ""
        self.caught_up = False

    def __iter__(self) -> Self:
        """Return the iterator."""
        return self

    def __next__(self) -> Datapoint:
        """
        Return the next point, as soon as there is one.

        Raises:
            StreamGone: The stream was deleted, made unreadable, made anew, or has lost its end. It is looked for again.
            PointsMissed: Points were lost that the server does not store.
            TooSlow: Too many points came, and the watch has ``overflow="raise"``.
            ConnectorDBError: The server refuses the subscription.
            LocalProtocolError: Another thread iterates.
        """
        if not self._run(Deadline(self._timeout)):
            raise StopIteration
        return self._take()

    def next(self, timeout: float) -> Datapoint:
        """
        Return the next point, within *timeout* seconds.

        Raises:
            TimedOut: None came in time, or the watch was closed.
            LiveError: As when iterating.
        """
        if not self._run(Deadline(timeout)):
            raise TimedOut(f"watching {self._path!r}: no point came within {timeout:g} s")
        return self._take()

    @by_its_process
    def close(self) -> None:
        """End the watch, and an iteration that waits for a point. Calling it twice does nothing."""
        self._is_closed = True
        self._pool.close(Deadline(0.0))  # before the subscription, which must not wait for a lane that only we run
        self.subscription.close()

    def _run(self, deadline: Deadline) -> bool:
        """Do what brings points until there is one, or the time is up; tell whether there is one."""
        me = threading.get_ident()
        if self._iterating not in (None, me):
            raise LocalProtocolError(
                f"another thread iterates over {self._path!r}: let one do it, or have a watch for each"
            )
        try:
            self._iterating = me
            while self._is_closed or self._taken >= len(self._batch):
                if self._errors:
                    raise self._errors.popleft()
                if not self._pool.run_one(deadline):
                    return False
            return True
        finally:
            self._iterating = None

    def _take(self) -> Datapoint:
        number, self._taken = self._taken, self._taken + 1
        first = self._batch.first_index
        self.index = None if first is None else first + number
        self.sender, self.caught_up = self._batch.sender(number), self._batch.caught_up
        return self._batch[number]

    # --- for the subscription, on the thread that iterates --------------------------------------------------------------

    def came(self, path: str, batch: Batch) -> None:
        """Take points."""
        first, known = batch.first_index, self._next_index
        if first is not None and known is not None and first < known:
            return  # it came before
        # a single assignment, so that Ctrl-C comes either before or after it
        self._batch, self._taken, self._next_index = batch, 0, None if first is None else first + len(batch)

    def failed(self, error: Exception) -> None:
        """Keep an error for the thread that iterates."""
        self._errors.append(error)

    def gone(self, reason: GoneReason) -> None:
        """Keep for the thread that iterates that the stream is gone, or not what it was."""
        self._next_index = None
        self.failed(StreamGone(f"{self._path!r} is not what it was: {reason}", reason))

    def is_now(self, state: State) -> None:
        """Take a state: closing the subscription, or the whole connection, ends the iteration."""
        if state == "closed":
            self._is_closed = True
            self._pool.close(Deadline(0.0))
