"""The two headers that speak of time: ``Date``, and ``Retry-After`` (RFC 9110, sections 5.6.7, 6.6.1 and 10.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

#: Seconds to which a server may ask to be left alone; whoever asks for more is asked again after these.
LONGEST = 24 * 3600.0


def seconds(date: str) -> float | None:
    """Return the seconds since 1970 that an HTTP date stands for; ``None`` if it is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """
    Return the seconds for which a server asks not to be asked again, `LONGEST` at most; ``None`` if it does not.

    A date is taken as a distance from the answer's own ``Date``: the clock here may be another one.
    """
    given = {name.lower(): value for name, value in headers.items() if name.lower() in ("retry-after", "date")}
    text = given.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST)
    until, now = seconds(text), seconds(given.get("date", ""))
    return None if until is None or now is None else min(max(0.0, until - now), LONGEST)
