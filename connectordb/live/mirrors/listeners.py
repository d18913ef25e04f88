"""
A function that is told of changes: called on a thread for callbacks, with the value before and the value now.

At most `MOST_WAITING` points wait for a slow function; beyond that, the oldest are dropped. It is then told of fewer changes, but
never of a wrong one: the old value is always the new one of the call before.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from ...exceptions import TimedOut
from ...protocol import json_text
from ...protocol.points import Datapoint
from ...runtime.clock import Deadline
from ..closing import Closing, by_its_process
from ..dispatch import Lane

log = logging.getLogger(__name__)

#: Called with the value before, ``None`` if there was none, and the value now.
OnChange = Callable[[Any, Any], Any]

#: Called with what a function raised.
OnError = Callable[[Exception], Any]

#: The most points that wait for one function.
MOST_WAITING = 1000

#: Seconds that `Listener.close` waits for a call that is running.
_PATIENCE = 30.0


class Told:
    """
    Tells one function of the changes of one stream, in order.

    Args:
        callback: The function.
        lane: Where it is called.
        newest: The newest point so far, if there is one.
        failed: Called with what the function raised.
    """

    def __init__(
        self, callback: OnChange, lane: Lane, newest: Datapoint | None, failed: Callable[[Exception], None]
    ) -> None:
        self._callback = callback
        self._lane = lane
        self._failed = failed
        self._told = newest
        # guards the one below
        self._lock = threading.Lock()
        self._waiting: deque[Datapoint] = deque(maxlen=MOST_WAITING)

    def came(self, points: Iterable[Datapoint]) -> None:
        """Take points that came, in order."""
        with self._lock:
            is_idle = not self._waiting
            self._waiting.extend(points)
            is_idle = is_idle and bool(self._waiting)
        if is_idle:
            self._lane.put(self._tell_next)

    def _tell_next(self) -> None:
        """Tell of one point; the next one comes after what others have put on this lane meanwhile."""
        with self._lock:
            point = self._waiting.popleft()
            if self._waiting:
                self._lane.put(self._tell_next)
        before, self._told = self._told, point
        if before is None or not is_same(before.get("d"), point.get("d")):
            try:
                self._callback(None if before is None else before.get("d"), point.get("d"))
            except Exception as error:
                self._failed(error)


class Listener(Closing):
    """What ``on_change`` returns. It ends with `close`, or at the end of a ``with`` block."""

    def __init__(self, lane: Lane, forget: Callable[[Listener], None]) -> None:
        self._lane = lane
        self._forget = forget

    @by_its_process
    def close(self) -> None:
        """
        Stop calling the function. Once this has returned, it is not running. Calling this twice does nothing.

        The function itself may call this; then its present call is the last.

        Raises:
            TimedOut: The function is still running; it will not be called again.
        """
        self._forget(self)
        if not self._lane.close(Deadline(_PATIENCE)):
            raise TimedOut(
                f"the function of on_change still runs after {_PATIENCE:g} s; it is not called again. Does it wait for "
                "something that the caller holds?"
            )


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same to a server, for which True and 1 are different values."""
    if one is other:
        return True
    return json_text.comparable(one) == json_text.comparable(other)
