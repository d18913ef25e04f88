"""Points in time as users write them, to seconds since 1970."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from ..exceptions import InvalidRange

#: What may stand where a time is asked for.
if TYPE_CHECKING:
    from numpy import datetime64

    Time = float | int | str | date | datetime | timedelta | datetime64
else:  # NumPy may not be there
    Time = float | int | str | date | datetime | timedelta

#: So many digits are seconds since 1970, of the years 1973 to 2286, and no date.
_SECONDS_HAVE = (9, 10)

#: Fractions of a second that are finer than those of a datetime, which passes over them.
_FINE = re.compile(r"(?<=:\d\d:\d\d)[.,](\d{7,})")

#: What NumPy calls its kinds of numbers.
_NUMBERS = frozenset("iuf")


def to_seconds(value: Time, now: float) -> float:
    """
    Return *value* as seconds since 1970 UTC.

    Args:
        value: Seconds; a ``datetime`` (a naive one is local time); a ``date`` (its beginning, in local time); a ``timedelta`` (that
            long before *now*); any of these of pandas or NumPy; text as ISO 8601 has it, ``"2026-03-01T12:00+01:00"`` (without an
            offset: local time), or seconds of 1973 to 2286; or, with the extra ``times``, English words: ``"2 hours ago"``,
            ``"yesterday"``, ``"monday 8:00"``.
        now: The present, in the same unit.

    Raises:
        InvalidRange: It is none of these, or not finite; or it may be words, and these are not installed.
    """
    seconds: float | None = None
    kind = getattr(getattr(value, "dtype", None), "kind", "")  # of what is NumPy's
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
    Return what text means as seconds since 1970, if it is ISO 8601: for data, where words have no present to go by.

    Args:
        text: A date, or date and time.
        zone: What it means without an offset; `None` for local time.

    Raises:
        ValueError: It is none.
    """
    fine = _FINE.search(text)
    if fine is not None:
        text = text[: fine.start()] + text[fine.end() :]
    # before Python 3.11 the "Z" of UTC was not understood
    moment = datetime.fromisoformat(text.removesuffix("Z") + "+00:00" * text.endswith("Z"))
    seconds = (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).timestamp()
    if fine is None:
        return seconds
    from decimal import Decimal  # few texts need it

    return float(int(seconds) + Decimal(f"0.{fine[1]}"))


def _of_text(text: str, now: float) -> float | None:
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
    """Return what is meant by a date, or an instant of pandas or NumPy: by its text, which is local time without an offset, and has nanoseconds."""
    text = value.isoformat() if isinstance(value, date) else str(value)
    try:
        return in_iso(text if len(text) > len("2026-01") else str(value.astype("M8[D]")))
    except (ValueError, AttributeError):  # NaT
        return None


def _finite(number: Any) -> float | None:
    try:
        return float(number)
    except (OverflowError, TypeError):  # more than one number
        return None
