"""One callback's subscription: its queue, what runs there, and what becomes of errors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any

from ..exceptions import ConnectorDBError
from ..protocol.paths import Path
from ..protocol.points import Datapoint
from ..runtime.clock import Deadline
from .acknowledge import Claim
from .dispatch import Lane
from .feedback import on_behalf_of
from .subscriptions import Key

log = logging.getLogger(__name__)

#: What a user gives: called with the path (of a downlink it ends in ``/downlink``) and the points. What it returns matters
#: for a downlink only.
Callback = Callable[[str, list[Datapoint]], Any]

#: Called with what went wrong.
OnError = Callable[[Exception], Any]

#: Writes what a callback of a downlink returned: the value, and the points that it was called with.
Answer = Callable[[object, Sequence[Datapoint], Claim], None]

#: Points that wait for one callback, at the most; beyond it the oldest go, and ``on_error`` is told.
QUEUE_LIMIT = 50_000


class Subscription:
    """
    What `Live.subscribe` returns: ends with `close`, or at the end of a ``with`` block.

    Attributes:
        path: What is watched.
        transform: The transform, or ``""``.
        dropped: Points that came faster than the callback took them, and were dropped.
    """

    def __init__(
        self,
        path: Path,
        transform: str,
        callback: Callback,
        on_error: OnError | None,
        *,
        lane: Lane,
        answer: Answer,
        end: Callable[[Subscription], None],
    ) -> None:
        self.path = path
        self.transform = transform
        self.dropped = 0
        self._callback = callback
        self._on_error = on_error
        self._lane = lane
        self._answer = answer
        self._end = end
        self._text = str(path)

    @property
    def key(self) -> Key:
        """By what the server knows it."""
        return self._text, self.transform

    def close(self) -> None:
        """
        End it, and no other on the same stream; once this has returned, its callback runs no more.

        Called by the callback itself: this call is its last. Calling it twice does nothing.

        Raises:
            Timeout: The callback still runs; it is not called again.
        """
        self._end(self)

    def __enter__(self) -> Subscription:
        """Return the subscription."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Return what is watched."""
        through = f" through {self.transform!r}" if self.transform else ""
        return f"<Subscription to {self._text!r}{through}>"

    # --- for Live -----------------------------------------------------------------------------------------------------

    def deliver(self, points: Sequence[Datapoint], claim: Claim) -> None:
        """Have the callback called with *points*, after all that it waits for already."""
        dropped = self._lane.put(partial(self._run, points, claim), len(points))
        if dropped:
            first = self.dropped == 0
            self.dropped += dropped
            if first or self.dropped // QUEUE_LIMIT > (self.dropped - dropped) // QUEUE_LIMIT:
                self.tell(
                    ConnectorDBError(
                        f"the callback of {self._text!r} is too slow: {self.dropped} points had to be dropped so far, as "
                        f"more than {QUEUE_LIMIT} were waiting; read them from the stream"
                    )
                )

    def tell(self, error: Exception) -> None:
        """Have *error* told, after what waits already."""
        self._lane.put(partial(self._tell, error))

    def finish(self, deadline: Deadline) -> bool:
        """Call the callback no more, and wait for the call that runs; tell whether it has ended."""
        return self._lane.close(deadline)

    # --- on the lane --------------------------------------------------------------------------------------------------

    def _run(self, points: Sequence[Datapoint], claim: Claim) -> None:
        try:
            with on_behalf_of(self.path):
                # copies: what one callback does to its points is not seen by the next, nor by the acknowledgement
                returned = self._callback(self._text, [dict(point) for point in points])
        except Exception as error:
            log.exception("the callback of %r raised; the subscription goes on", self._text)
            self._tell(error, logged=True)
            return
        if self.path.downlink:
            try:
                self._answer(returned, points, claim)
            except Exception as error:
                self._tell(error)

    def _tell(self, error: Exception, logged: bool = False) -> None:
        if self._on_error is None:
            if not logged:
                log.error("the subscription to %r: %s", self._text, error)
            return
        try:
            self._on_error(error)
        except Exception:
            log.exception("the on_error of %r raised", self._text)
