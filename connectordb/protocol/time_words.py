"""
Points in time in English words: "2 hours ago", "yesterday", "monday 8:00", "march 5".

They are read by dateparser, which comes with the extra ``times``. It guesses: in "yesterday 25:00" it ignores the time, and it takes
"monday 8" for a day in August. A wrong guess is a wrong answer that nobody notices, so whatever it may have guessed is refused here.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

#: Words, with numbers between them. A date in numbers does not count: whether 01/02 is in January is anybody's guess.
_WORDS = re.compile(r"(?=.*([a-z]{2}|\d ?[smhdwy]$|^\d\d?:\d))(?!.*(\d[/.]\d+[/.]|\d{5}))[a-z\d :.,]{,80}", re.ASCII)

#: A time of day; and one that does not exist, such as 25:00.
_CLOCK = re.compile(r"\b\d\d?:\d\d(:\d\d(\.\d+)?)?( ?[ap]\.?m\b)?|\b\d\d? ?[ap]\.?m\b|\b(noon|midnight)\b")
_NO_CLOCK = re.compile(r"\b(2[4-9]|[3-9]\d|\d{3,}):|:([6-9]\d|\d{3,}|\d\b)")

#: So long before the present or after it: "2 hours ago", "in 5 min", "last week", "3d".
_UNIT = r"(s|m|h|d|w|y|(sec|min|hour|hr|day|week|month|year)[a-z]*)"
_AWAY = re.compile(
    rf"\b(ago|later|now)$|^in (an?|\d[\d.]*) ?{_UNIT}\b|^(last|next) (week|month|year)$|^\d[\d.]* ?{_UNIT}$", re.ASCII
)

#: A number without a unit, beside one that has a unit.
_IDLE = re.compile(r"(?<![\d.,])\d[\d.,]*(?![\d.,])(?! ?[smhdwyf])")

#: A month, and a day of it.
_MONTH = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)")
_DAY = re.compile(r"(?<!\d)[0-3]?\d(st|nd|rd|th)?(?!\d)")

#: How far away a day can be that is named without its date: "yesterday", "monday".
_NEAR = timedelta(days=15)

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: dateparser does not know every local zone, so it is given times without one, and counts as in UTC, whose clock never changes.
_SETTINGS: dict[str, Any] = {"PREFER_DATES_FROM": "past", "RETURN_TIME_AS_PERIOD": True, "TIMEZONE": "UTC"}


def seconds_of(text: str, now: float) -> float | None:
    """
    Return what words mean, as seconds since 1970; `None` if they do not mean one certain time.

    Days and times of day are local. A day without a time of day means its beginning. Hours, minutes and seconds before *now* are
    counted as they pass, even if clocks were put forward in between; days, weeks, months and years are those of the calendar.

    Args:
        text: English words.
        now: The present, in seconds since 1970.

    Raises:
        ModuleNotFoundError: The text may be such words, and the extra ``times`` is not installed.
    """
    words = " ".join(text.lower().split())
    if not _WORDS.fullmatch(words) or _NO_CLOCK.search(words):
        return None
    from dateparser.date import DateDataParser  # imported here because it is slow to load, and an extra

    base = datetime.fromtimestamp(now)
    try:
        found = DateDataParser(languages=["en"], settings={**_SETTINGS, "RELATIVE_BASE": base}).get_date_data(words)
        moment = found.date_obj
        if moment is None or moment.tzinfo is not None:
            return None
        return _exactly(words, moment, found.period, base, now)
    except (OverflowError, ValueError, OSError):  # a year that datetime or the system does not have
        return None


def _exactly(words: str, moment: datetime, exactness: str, base: datetime, now: float) -> float | None:
    """
    Return the time that dateparser found, if *words* say that and nothing else; else `None`.

    Args:
        words: The text, in lower case.
        moment: What dateparser found.
        exactness: Its smallest unit, according to dateparser: ``"time"``, ``"day"``, ``"month"`` and so on.
        base: The present, as local time.
        now: The same in seconds since 1970.
    """
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
    """
    Tell whether *words* really name the day that was found.

    A month must have its day, no other number may be left over, and a day of the week must be that of the day found.
    """
    if _MONTH.search(words):
        names_it = _DAY.search(words) is not None
    else:
        names_it = not re.search(r"\d", words) and abs(moment - base) < _NEAR
    return names_it and not any(
        re.search(rf"\b{day}", words) for day in _WEEKDAYS if day != _WEEKDAYS[moment.weekday()]
    )
