"""Calendars and clocks, held to the standard library's."""

from __future__ import annotations

import unittest
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError

from ..running import timed

TIMES = st.floats(-(2.0**31), 2.0**32)
ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Europe/London"])


class Civil(unittest.TestCase):
    """What the clock on the wall says."""

    @given(TIMES, ZONES)
    def test_like_datetime(self, time: float, zone: str) -> None:
        """In any zone; "Local" is the one that the script is given."""
        begun = timedelta(microseconds=int(time * 1e9) // 1000)
        there = (datetime(1970, 1, 1, tzinfo=timezone.utc) + begun).astimezone(ZoneInfo(zone))
        for name, expected in (
            ("year", there.year),
            ("month", 12 * (there.year - 1970) + there.month),
            ("monthday", there.day),
            ("dayhour", there.hour),
            ("weekday", there.strftime("%A")),
            ("yearday", there.timetuple().tm_yday),
            ("yearmonth", there.strftime("%B")),
        ):
            self.assertEqual(timed(f"{name}('{zone}')", [(time, 0)]), [(time, expected)])
            self.assertEqual(timed(name, [(time, 0)], tz=zone), [(time, expected)])


class Elapsed(unittest.TestCase):
    """Periods of the same length since 1970."""

    @given(TIMES)
    def test_towards_zero(self, time: float) -> None:
        """On both sides of the beginning."""
        nano = int(time * 1e9)
        for name, seconds, begin in (("hour", 3600, 0), ("day", 86400, 0), ("week", 7 * 86400, 4 * 86400)):
            since = nano - begin * 10**9
            period = seconds * 10**9
            self.assertEqual(timed(name, [(time, 0)]), [(time, since // period if since >= 0 else -(-since // period))])

    def test_a_moment_before(self) -> None:
        """Is another day, however short the moment, but in periods not another one."""
        self.assertEqual(timed("{'y': year, 'h': hour}", [(-1e-7, 0)]), [(-1e-7, {"y": 1969, "h": 0})])
        self.assertEqual(timed("hour", [(-3600.0, 0), (-3600 + 4e-7, 0)]), [(-3600.0, -1), (-3600 + 4e-7, 0)])

    def test_offset_of_1970(self) -> None:
        """London was an hour ahead of its own winter time then."""
        self.assertEqual(timed("hour('Europe/London')", [(0, 0)]), [(0, 1)])


class Refused(unittest.TestCase):
    """What is in no calendar."""

    def test_times_and_zones(self) -> None:
        """Is said to be."""
        for time in (1e20, float("nan"), float("inf"), -62135596800.0):
            with self.subTest(time), self.assertRaisesRegex(PipeScriptError, "in no calendar"):
                timed("year('America/New_York')", [(time, 0)])
        for zone in ("Mars", "../../etc/passwd", "/etc/localtime", "Europe", "a" * 5000, "\\0"):
            with self.subTest(zone), self.assertRaisesRegex(PipeScriptError, "unknown time zone"):
                timed(f"day('{zone}')", [])
