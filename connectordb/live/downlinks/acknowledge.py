"""
What the value returned by a callback means as the acknowledgement of a command, and which of several callbacks gives it.

``True`` writes the points that were commanded; a list of points writes those; one point (a dict with ``d``) is like a list of
one; ``False`` or ``None`` writes nothing.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

from ...exceptions import LocalProtocolError
from ...protocol import json_text
from ...protocol.doubts import of_time, of_value, warn
from ...protocol.points import Datapoint


class Claim:
    """
    Decides which of several callbacks acknowledges one command: the first that wants to.

    Args:
        parties: How many callbacks are called with the command.
    """

    def __init__(self, parties: int = 1) -> None:
        self._lock = threading.Lock()
        # guarded by it
        self._parties = parties
        self._taken = False

    def take(self) -> bool:
        """Take the claim; tell whether nobody had taken it before."""
        with self._lock:
            taken, self._taken = self._taken, True
            return not taken

    def give_up(self) -> bool:
        """Leave the claim to others; tell whether all have done so, and nobody has taken it."""
        with self._lock:
            self._parties -= 1
            return self._parties <= 0 and not self._taken


def points_to_write(returned: object, commanded: Sequence[Datapoint], now: float) -> list[Datapoint]:
    """
    Return the points to be written for the value that a callback returned.

    Args:
        returned: What it returned.
        commanded: The points that it was called with.
        now: The time for points that have none.

    Raises:
        LocalProtocolError: It is not an acknowledgement.
    """
    if returned is None or returned is False:
        return []
    if returned is True:
        # a command's time may be missing, but only if it is 0; a server would take that for no time
        return [{"t": point.get("t") or now, "d": point["d"]} for point in commanded]
    if isinstance(returned, dict):
        return [_point(returned, now)]
    if isinstance(returned, list):
        return [_point(point, now) for point in returned]
    raise LocalProtocolError(
        f"a downlink's callback returned {_shown(returned)}: expected True (done as commanded), a datapoint "
        "{'d': value}, a list of datapoints, or False or None (no acknowledgement)"
    )


def _point(point: object, now: float) -> Datapoint:
    if not isinstance(point, dict) or "d" not in point:
        raise LocalProtocolError(
            f"a downlink's callback returned {_shown(point)} as a datapoint: expected a dict with 'd', and 't' or none"
        )
    time = point.get("t")
    if time is None or (time == 0 and not isinstance(time, bool)):
        time = now
    if isinstance(time, bool) or not isinstance(time, (int, float)) or not math.isfinite(time):
        raise LocalProtocolError(f"a downlink's callback returned a datapoint with the time {_shown(time)}")
    time, value = json_text.checked(time), json_text.checked(point["d"])
    if doubt := of_time(time) or of_value(value):
        warn(f"a downlink's callback returned a datapoint that has {doubt}")
    return {"t": time, "d": value}


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:60] + '…'} ({type(value).__name__})"
