"""Points in time as users write them, to seconds since 1970."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from ..exceptions import InvalidRange

#: What may stand where a time is asked for.
Time = float | int | str | datetime | timedelta


def to_seconds(value: Time, now: float) -> float:
    """
    Return *value* as seconds since 1970 UTC.

    Args:
        value: Seconds; a ``datetime`` (a naive one is local time); a ``timedelta`` (that long before *now*); or text
            as ISO 8601 has it, ``"2026-03-01T12:00+01:00"`` (without an offset: local time).
        now: The present, in the same unit.

    Raises:
        InvalidRange: It is none of these, or not finite.
    """
    seconds: float | None = None
    if isinstance(value, timedelta):
        seconds = now - value.total_seconds()
    elif isinstance(value, datetime):
        seconds = value.timestamp()
    elif isinstance(value, str):
        try:
            # before Python 3.11 the "Z" of UTC was not understood
            seconds = datetime.fromisoformat(value.removesuffix("Z") + "+00:00" * value.endswith("Z")).timestamp()
        except ValueError:
            seconds = None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = _finite(value)
    if seconds is None or not math.isfinite(seconds):
        raise InvalidRange(
            f"{value!r} is no time: expected seconds since 1970, a datetime, a timedelta (ago), or ISO 8601 text"
        )
    return seconds


def _finite(number: float) -> float | None:
    try:
        return float(number)
    except OverflowError:
        return None
