"""From points in time as users write them to seconds since 1970."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from ..exceptions import InvalidRange

#: What functions that want a time accept.
if TYPE_CHECKING:
    from numpy import datetime64

    Time = float | int | str | date | datetime | timedelta | datetime64
else:  # NumPy may not be installed
    Time = float | int | str | date | datetime | timedelta

#: The first second after the year 9999: such a number is hardly meant as seconds.
LATE = 253_402_300_800.0

#: A text of 9 or 10 digits is no date but seconds since 1970: of the years 1973 to 2286.
_SECONDS_HAVE = (9, 10)

#: Fractions of a second that are too fine for a datetime, which would cut them off.
_FINE = re.compile(r"(?<=:\d\d:\d\d)[.,](\d{7,})")

#: NumPy's kinds of numbers: integers, unsigned ones, floats.
_NUMBERS = frozenset("iuf")


def to_seconds(value: Time, now: float) -> float:
    """
    Return *value* as seconds since 1970 UTC.

    Args:
        value: Seconds; a ``datetime`` (a naive one is local time); a ``date`` (its beginning, in local time); a ``timedelta`` (that
            long before *now*); the same types of pandas or NumPy; ISO 8601 text, ``"2026-03-01T12:00+01:00"`` (local time without an
            offset); seconds as text, of the years 1973 to 2286; or, with the extra ``times``, English words: ``"2 hours ago"``,
            ``"yesterday"``, ``"monday 8:00"``.
        now: The present, in the same unit.

    Raises:
        InvalidRange: It is none of these, or not finite; or it may be words, and the extra is not installed.
    """
    seconds: float | None = None
    kind = getattr(getattr(value, "dtype", None), "kind", "")  # empty for all that is not NumPy's
    if kind == "m":
        value = value.astype("m8[us]").item()  # type: ignore[union-attr]
    if isinstance(value, timedelta):
        seconds = now - value.total_seconds()
    elif type(value) is datetime:
        seconds = value.timestamp()
    elif isinstance(value, str):
        seconds = _of_text(value, now)
    elif isinstance(value, date) or kind == "M":
        seconds = _of_date(value)
    elif kind in _NUMBERS or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        seconds = _finite(value)
    if seconds is None or not math.isfinite(seconds):
        raise InvalidRange(
            f"{value!r:.100} is no time: expected seconds since 1970, a datetime, a timedelta (ago), ISO 8601 text, or words "
            "that mean one time, as '2 hours ago', 'yesterday', 'monday 8:00'"
        )
    return seconds


def in_iso(text: str, zone: tzinfo | None = None) -> float:
    """
    Return an ISO 8601 text as seconds since 1970. For data, where words such as "yesterday" make no sense.

    Args:
        text: A date, or a date and a time.
        zone: The time zone of a text without an offset; `None` for local time.

    Raises:
        ValueError: It is not ISO 8601.
    """
    fine = _FINE.search(text)
    if fine is not None:
        text = text[: fine.start()] + text[fine.end() :]
    # before Python 3.11, fromisoformat does not understand the "Z" of UTC
    moment = datetime.fromisoformat(text.removesuffix("Z") + "+00:00" * text.endswith("Z"))
    seconds = (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).timestamp()
    if fine is None:
        return seconds
    from decimal import Decimal  # imported here because few texts need it

    return float(int(seconds) + Decimal(f"0.{fine[1]}"))


def _of_text(text: str, now: float) -> float | None:
    text = text.strip()
    whole, _, fraction = text.partition(".")
    if len(whole) in _SECONDS_HAVE and (whole + fraction).isdecimal():
        return float(text)
    try:
        return in_iso(text)
    except ValueError:
        from .time_words import seconds_of
    try:
        return seconds_of(text, now)
    except ModuleNotFoundError as missing:
        raise InvalidRange(
            f"{text!r} is no time in ISO 8601, and for words the library {missing.name!r} is missing: "
            "pip install 'ConnectorDB[times]'"
        ) from missing


def _of_date(value: Any) -> float | None:
    """
    Return the time of a date, or of an instant of pandas or NumPy.

    It goes by the text, which keeps nanoseconds, and is local time where it has no offset.
    """
    text = value.isoformat() if isinstance(value, date) else str(value)
    try:
        return in_iso(text if len(text) > len("2026-01") else str(value.astype("M8[D]")))
    except (ValueError, AttributeError):  # NaT
        return None


def _finite(number: Any) -> float | None:
    try:
        return float(number)
    except (OverflowError, TypeError):  # TypeError: an array of more than one number
        return None
