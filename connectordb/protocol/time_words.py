"""
Points in time in English words: "2 hours ago", "yesterday", "monday 8:00", "march 5".

dateparser reads them, which comes with the extra ``times``. It guesses where it can: of "yesterday 25:00" it passes over the time,
"monday 8" is a day in August to it. A time that is guessed wrongly is a wrong answer that nobody notices, so what it may have
guessed is refused here.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

#: Words, with numbers between them. Dates in numbers are none: whether 01/02 is in January is anybody's guess.
_WORDS = re.compile(r"(?=.*([a-z]{2}|\d ?[smhdwy]$|^\d\d?:\d))(?!.*(\d[/.]\d+[/.]|\d{5}))[a-z\d :.,]{,80}")

#: A time of day, and one that there is not.
_CLOCK = re.compile(r"\d:\d|\d ?[ap]\.?m\b|\b(noon|midnight)\b")
_NO_CLOCK = re.compile(r"\b(2[4-9]|[3-9]\d|\d{3,}):|:([6-9]\d|\d{3,}|\d\b)")

#: So long before the present, or after it; and a day that needs no number.
_AWAY = re.compile(r"\b(ago|later|now)$|^in (an?|\d)|^(last|next) (week|month|year)$|^\d[\d.]* ?[a-z]+$")
_NAMED = re.compile(r"day\b|\btomorrow\b")

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_SETTINGS: dict[str, Any] = {"PREFER_DATES_FROM": "past", "RETURN_TIME_AS_PERIOD": True}


def seconds_of(text: str, now: float) -> float | None:
    """
    Return what words mean, as seconds since 1970; `None` if that is no one time.

    Days and times of day are local. A day without a time of day is its beginning. So many hours, minutes or seconds before *now*
    are so many, whatever clocks were put forward in between; days, weeks, months and years are those of the calendar.

    Args:
        text: English words.
        now: The present, in seconds since 1970.

    Raises:
        ModuleNotFoundError: These may be such words, and the extra ``times`` is not installed.
    """
    words = " ".join(text.lower().split())
    if not _WORDS.fullmatch(words) or _NO_CLOCK.search(words):
        return None
    from dateparser.date import DateDataParser  # slow to load, and in an extra

    base = datetime.fromtimestamp(now)
    try:
        found = DateDataParser(languages=["en"], settings={**_SETTINGS, "RELATIVE_BASE": base}).get_date_data(words)
        moment = found.date_obj
        if moment is None or moment.tzinfo is not None:
            return None
        return _exactly(words, moment, found.period, base, now)
    except (OverflowError, ValueError, OSError):  # beyond the years that there are
        return None


def _exactly(words: str, moment: datetime, exactness: str, base: datetime, now: float) -> float | None:
    """Return what dateparser found, *exactness* being its smallest unit, if that is what *words* say, and all that they say."""
    clock, away = _CLOCK.search(words), _AWAY.search(words)
    if not away and any(re.search(rf"\b{day}", words) for day in _WEEKDAYS if day != _WEEKDAYS[moment.weekday()]):
        return None
    if exactness == "time":
        if clock:
            return moment.timestamp()
        return now + (moment - base).total_seconds() if away else None
    if clock or (exactness != "day" and not away):
        return None
    if away:
        return moment.timestamp()
    if _NAMED.search(words) and re.search(r"\d", words):
        return None  # the number was passed over
    return moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
