"""Points in time in English words."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import unittest
from datetime import datetime, timedelta
from importlib.util import find_spec
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import InvalidRange
from connectordb.protocol.time_words import seconds_of
from connectordb.protocol.times import to_seconds

HAVE = find_spec("dateparser") is not None

#: A Sunday, on which clocks were put forward at two in the night; 10:30 in Berlin.
NOW = datetime(2026, 3, 29, 10, 30)

MEANINGS = {
    "now": NOW,
    "2 hours ago": NOW - timedelta(hours=2),
    "10 hours ago": datetime(2026, 3, 28, 23, 30),  # by the clock it is eleven
    "1 hour 30 minutes ago": NOW - timedelta(minutes=90),
    "1.5 hours ago": NOW - timedelta(minutes=90),
    "an hour ago": NOW - timedelta(hours=1),
    "2h": NOW - timedelta(hours=2),
    "5 min ago": NOW - timedelta(minutes=5),
    "in 2 hours": NOW + timedelta(hours=2),
    "1 hour from now": NOW + timedelta(hours=1),
    "1 day ago": datetime(2026, 3, 28, 10, 30),  # 23 hours
    "a week ago": datetime(2026, 3, 22, 10, 30),
    "last month": datetime(2026, 2, 28, 10, 30),
    "a year ago": datetime(2025, 3, 29, 10, 30),
    "today": datetime(2026, 3, 29),
    "  Yesterday ": datetime(2026, 3, 28),
    "the day before yesterday": datetime(2026, 3, 27),
    "tomorrow": datetime(2026, 3, 30),
    "yesterday 8:00": datetime(2026, 3, 28, 8),
    "yesterday at 8pm": datetime(2026, 3, 28, 20),
    "yesterday at noon": datetime(2026, 3, 28, 12),
    "2 days ago at 8:00": datetime(2026, 3, 27, 8),
    "8:00": datetime(2026, 3, 29, 8),
    "12:00": datetime(2026, 3, 28, 12),  # it is not noon yet
    "midnight": datetime(2026, 3, 29),
    "monday": datetime(2026, 3, 23),
    "monday 8:00": datetime(2026, 3, 23, 8),
    "last friday 17:00": datetime(2026, 3, 27, 17),
    "next friday": datetime(2026, 4, 3),
    "sunday": datetime(2026, 3, 22),  # the one before today
    "march 5": datetime(2026, 3, 5),
    "24 march 2026": datetime(2026, 3, 24),
    "tuesday 24 march 2026 14:00": datetime(2026, 3, 24, 14),
    "february 29": datetime(2024, 2, 29),
    "march 5th at 8:30 pm": datetime(2026, 3, 5, 20, 30),
    "8pm": datetime(2026, 3, 28, 20),
    "noon": datetime(2026, 3, 28, 12),
}

#: What dateparser would guess some time from, and what is none.
REFUSED = (
    *("", "banana", "monday banana", "gestern", "ago", "hour", "1e5 seconds ago", "100000000000 years ago", "99999999 hours ago"),
    *("01/02/2026", "2026-13-01", "2026-01-02 8:00 PST", "20261301", "2026", "5", "12.5", "2026-W99", "2026-03-01T25:00"),
    *("march", "may", "last march", "this morning", "31 february", "30 feb 2026", "friday 13", "monday 8", "monday at 8"),
    *("monday 8.30", "yesterday 25", "yesterday at 8", "yesterday 25:00", "yesterday 8:75", "friday 24 march 2026"),
    *("8:00 march", "march 2026 8:00", "in 30", "30 8pm", "25 of", "an noon", "12 after", "in 30 noon", "8pm 23:59", "today 8pm 0 h", "yesterday 1.5"),
    *("2 hours ago 25", "2 hours 5 ago", "3 4 days ago", "-2 hours", "2 hours ago UTC", "yesterday 8:00 UTC", "2 " * 5000 + "hours ago"),
)  # fmt: skip

WORDS = "now yesterday monday march ago in at last month hours 2 31 99999 8:00 8pm noon m d 1.5 the an 2026 . ,".split()


@unittest.skipUnless(HAVE, "dateparser is not installed")
class SecondsOf(unittest.TestCase):
    """Words mean one time, or are refused."""

    def setUp(self) -> None:
        """Be in Berlin."""
        self.be_in("Europe/Berlin")

    def be_in(self, zone: str) -> None:
        """Have a local time."""
        patched = mock.patch.dict(os.environ, {"TZ": zone})
        patched.start()
        time.tzset()
        self.addCleanup(time.tzset)
        self.addCleanup(patched.stop)

    def test_meanings(self) -> None:
        """Days are local, hours are hours, and a day of the week is the one before today."""
        for words, meaning in MEANINGS.items():
            with self.subTest(words):
                found = seconds_of(words, NOW.timestamp())
                self.assertIsNotNone(found)
                self.assertEqual(datetime.fromtimestamp(found or 0), meaning)

    def test_zone_without_a_name(self) -> None:
        """Words mean the same where the local time is told by its rules, as on small boards, and has no name."""
        self.be_in("CET-1CEST,M3.5.0,M10.5.0/3")
        self.test_meanings()

    def test_refused(self) -> None:
        """What would have to be guessed is refused, with what was expected."""
        for words in REFUSED:
            with self.subTest(words[:40]), self.assertRaisesRegex(InvalidRange, r"is no time: .* 'monday 8:00'"):
                to_seconds(words, NOW.timestamp())

    @given(st.floats(0, 4e9), st.integers(1, 5000), st.sampled_from([("hour", 3600), ("minute", 60), ("second", 1)]))
    def test_elapsed(self, now: float, number: int, unit: tuple[str, int]) -> None:
        """So many hours ago are so many seconds, at whatever time of whatever year."""
        self.assertAlmostEqual(to_seconds(f"{number} {unit[0]}s ago", now), now - number * unit[1], delta=1e-5)

    @given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join), st.floats(0, 4e9))
    def test_anything(self, words: str, now: float) -> None:
        """Whatever words there are, they mean one time or are refused."""
        with contextlib.suppress(InvalidRange):
            self.assertLess(abs(to_seconds(words, now)), 1e11)

    @given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(microsecond=0)))
    def test_iso_stays(self, moment: datetime) -> None:
        """ISO 8601 text never comes to be words."""
        with mock.patch("connectordb.protocol.time_words.seconds_of", side_effect=AssertionError):
            self.assertEqual(to_seconds(moment.isoformat(), 0), moment.timestamp())
            self.assertEqual(
                to_seconds(moment.date().isoformat(), 0),
                datetime.combine(moment.date(), datetime.min.time()).timestamp(),
            )


class WithoutTheLibrary(unittest.TestCase):
    """Without dateparser words are refused, and the refusal names the extra."""

    def test_it_is_named(self) -> None:
        """ISO text is read, and what cannot be words is refused as always."""
        with mock.patch.dict(sys.modules, {"dateparser": None, "dateparser.date": None}):
            with self.assertRaisesRegex(InvalidRange, r"'yesterday' is no time in ISO 8601.*ConnectorDB\[times\]"):
                to_seconds("yesterday", 0)
            with self.assertRaisesRegex(InvalidRange, "'2026-13-01' is no time: expected"):
                to_seconds("2026-13-01", 0)
            self.assertEqual(to_seconds("2026-03-01T12:00Z", 0), 1772366400)
