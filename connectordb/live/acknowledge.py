"""
Acknowledging a downlink: what a callback's returned value means, and writing it to the stream.

``True`` writes the points that were commanded, a list of points writes those, one point (a dict with ``d``) is a list of
one, ``False`` or ``None`` writes nothing. It is written over REST, as only there the outcome is told, with times that the
stream accepts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..exceptions import LocalProtocolError
from ..protocol import json_text, restamp
from ..protocol.paths import Path
from ..protocol.points import Datapoint


def points_to_write(returned: object, commanded: Sequence[Datapoint], now: float) -> list[Datapoint]:
    """
    Return what a callback's returned value writes.

    Args:
        returned: What it returned.
        commanded: The points that it was called with.
        now: The time for points without one.

    Raises:
        LocalProtocolError: It is no acknowledgement.
    """
    if returned is None or returned is False:
        return []
    if returned is True:
        # a command's time may be missing only if it is 0
        return [{"t": point.get("t", 0.0), "d": point["d"]} for point in commanded]
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
    if time is None:
        time = now
    if isinstance(time, bool) or not isinstance(time, (int, float)) or not math.isfinite(time):
        raise LocalProtocolError(f"a downlink's callback returned a datapoint with the time {_shown(time)}")
    json_text.check_value(point["d"])
    return {"t": time, "d": point["d"]}


def acknowledge(call: restamp.Call, path: Path, points: Sequence[Datapoint], caller: Path) -> None:
    """
    Write *points* to the stream whose downlink *path* is.

    Raises:
        LocalProtocolError: *caller* is not the device of the stream: what it writes would be another command.
        ConnectorDBError: The server refused, or is away.

    Calls: as `restamp.insert`.
    """
    if caller != path.device:
        raise LocalProtocolError(
            f"a callback of {str(path)!r} returned an acknowledgement, but this is {str(caller)!r}: only "
            f"{str(path.device)!r} acknowledges. Return None here; nothing was written"
        )
    restamp.insert(call, path.stream, points)


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:60] + '…'} ({type(value).__name__})"
