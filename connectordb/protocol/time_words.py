"""
Points in time in English words: "2 hours ago", "yesterday", "monday 8:00", "march 5".

dateparser reads them, which comes with the extra ``times``. It guesses where it can: of "yesterday 25:00" it passes over the time,
"monday 8" is a day in August to it. A time that is guessed wrongly is a wrong answer that nobody notices, so what it may have
guessed is refused here.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

#: Words, with numbers between them. Dates in numbers are none: whether 01/02 is in January is anybody's guess.
_WORDS = re.compile(r"(?=.*([a-z]{2}|\d ?[smhdwy]$|^\d\d?:\d))(?!.*(\d[/.]\d+[/.]|\d{5}))[a-z\d :.,]{,80}", re.ASCII)

#: A time of day, and one that there is not.
_CLOCK = re.compile(r"\b\d\d?:\d\d(:\d\d(\.\d+)?)?( ?[ap]\.?m\b)?|\b\d\d? ?[ap]\.?m\b|\b(noon|midnight)\b")
_NO_CLOCK = re.compile(r"\b(2[4-9]|[3-9]\d|\d{3,}):|:([6-9]\d|\d{3,}|\d\b)")

#: So long before the present, or after it.
_UNIT = r"(s|m|h|d|w|y|(sec|min|hour|hr|day|week|month|year)[a-z]*)"
_AWAY = re.compile(
    rf"\b(ago|later|now)$|^in (an?|\d[\d.]*) ?{_UNIT}\b|^(last|next) (week|month|year)$|^\d[\d.]* ?{_UNIT}$", re.ASCII
)

#: A number that counts nothing, where others do.
_IDLE = re.compile(r"(?<![\d.,])\d[\d.,]*(?![\d.,])(?! ?[smhdwyf])")

#: A day of a month.
_MONTH = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)")
_DAY = re.compile(r"(?<!\d)[0-3]?\d(st|nd|rd|th)?(?!\d)")

#: So far away a day may be that has a name of its own.
_NEAR = timedelta(days=15)

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: All that dateparser sees is without a zone, and so counted as if there was one that never changes: it knows not every local one.
_SETTINGS: dict[str, Any] = {"PREFER_DATES_FROM": "past", "RETURN_TIME_AS_PERIOD": True, "TIMEZONE": "UTC"}


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
    clock = _CLOCK.search(words)
    rest = _CLOCK.sub("", words, count=1).strip().removesuffix(" at")
    away = _AWAY.search(rest)
    if _CLOCK.search(rest) or (_IDLE.search(rest) if away else not _names_a_day(rest, moment, base)):
        return None
    if exactness == "time":
        if clock:
            return moment.timestamp()
        return now + (moment - base).total_seconds() if away else None
    if clock or (exactness != "day" and not away):
        return None
    return (moment if away else moment.replace(hour=0, minute=0, second=0, microsecond=0)).timestamp()


def _names_a_day(words: str, moment: datetime, base: datetime) -> bool:
    """Tell whether words say the day that was found: a month has its day, no other number is passed over, and days of the week agree."""
    if _MONTH.search(words):
        told = _DAY.search(words) is not None
    else:
        told = not re.search(r"\d", words) and abs(moment - base) < _NEAR
    return told and not any(re.search(rf"\b{day}", words) for day in _WEEKDAYS if day != _WEEKDAYS[moment.weekday()])
