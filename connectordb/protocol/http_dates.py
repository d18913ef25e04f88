"""The HTTP headers ``Date`` and ``Retry-After`` (RFC 9110, sections 5.6.7, 6.6.1 and 10.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

#: The longest pause, in seconds, that a server may ask for. If it asks for more, it is asked again after these.
LONGEST = 24 * 3600.0


def seconds(date: str) -> float | None:
    """Return an HTTP date as seconds since 1970; ``None`` if the text is no such date."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """
    Return for how many seconds a server does not want to be asked again, at most `LONGEST`; ``None`` if it does not say.

    If it gives a date, the seconds are counted from the answer's own ``Date``, as the clock here may show another time.
    """
    given = {name.lower(): value for name, value in headers.items() if name.lower() in ("retry-after", "date")}
    text = given.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST)
    until, now = seconds(text), seconds(given.get("date", ""))
    return None if until is None or now is None else min(max(0.0, until - now), LONGEST)
