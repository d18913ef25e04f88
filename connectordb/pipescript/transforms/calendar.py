"""Times by the calendar and the clock of a time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...exceptions import PipeScriptError
from ..ahead import Point
from ..registry import Argument, Context, MakeStep, Takes, transform
from ..values import to_text

_ZONE = Argument("The time zone, by its IANA name", Takes.CONSTANT, "Local")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MONTHS = "January February March April May June July August September October November December".split()


@lru_cache(maxsize=64)
def _zone(name: str, local: str) -> tzinfo:
    if name == "Local":
        if not local:
            return _local()
        name = local
    if name in ("", "UTC"):
        return timezone.utc
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PipeScriptError(f"unknown time zone {name}") from error


def _local() -> tzinfo:
    """Return this machine's time zone, with its rules for daylight saving."""
    try:
        return ZoneInfo("localtime")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found = datetime.now().astimezone().tzinfo
        assert found is not None
        return found


def _nanoseconds(point: Point) -> int:
    """Return a point's time in whole nanoseconds, rounded towards zero."""
    try:
        return int(point["t"] * 1e9)
    except (OverflowError, ValueError) as error:
        raise PipeScriptError(f"the time {point['t']!r} is in no calendar") from error


def _civil(name: str, description: str, read: Callable[[datetime], Any]) -> None:
    def compile_(context: Context, zone: Any) -> MakeStep:
        place = _zone(to_text(zone), context.zone)

        def step(point: Point) -> Any:
            try:
                # whole microseconds, rounded down, are enough for all that is read here
                return read((_EPOCH + timedelta(microseconds=_nanoseconds(point) // 1000)).astimezone(place))
            except OverflowError as error:
                raise PipeScriptError(f"the time {point['t']!r} is in no calendar") from error

        return lambda run: step

    transform(name, description, _ZONE, stateless=True)(compile_)


_civil("year", "The year", lambda at: at.year)
_civil("month", "Months since December 1969", lambda at: 12 * (at.year - 1970) + at.month)
_civil("dayhour", "The hour of the day", lambda at: at.hour)
_civil("weekday", "The day of the week", lambda at: _DAYS[at.weekday()])
_civil("monthday", "The day of the month", lambda at: at.day)
_civil("yearday", "The day of the year", lambda at: at.timetuple().tm_yday)
_civil("yearmonth", "The month of the year", lambda at: _MONTHS[at.month - 1])


def _elapsed(name: str, description: str, day: int, seconds: int) -> None:
    """Register a transform that counts periods since that day of January 1970, ignoring daylight saving."""

    def compile_(context: Context, zone: Any) -> MakeStep:
        origin = datetime(1970, 1, day, tzinfo=_zone(to_text(zone), context.zone)).astimezone(timezone.utc)
        begin = (origin - _EPOCH) // timedelta(microseconds=1) * 1000
        period = seconds * 1_000_000_000

        def step(point: Point) -> int:
            since = _nanoseconds(point) - begin
            return since // period if since >= 0 else -(-since // period)

        return lambda run: step

    transform(name, description, _ZONE, stateless=True, documentation=f"{description} in the time zone. {_PERIODS}")(
        compile_
    )


_PERIODS = (
    "It counts periods of equal length, which ignore daylight saving: in summer they may begin an hour later by the clock. "
    "Before the beginning they are counted towards it, so that there are two periods with the number 0."
)
_elapsed("hour", "Hours since 1970 began", 1, 3600)
_elapsed("day", "Days since 1970 began", 1, 86400)
_elapsed("week", "Weeks since the first Monday of 1970", 5, 7 * 86400)
