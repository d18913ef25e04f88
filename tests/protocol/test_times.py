"""Points in time as users write them."""

from __future__ import annotations

import unittest
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import InvalidRange
from connectordb.protocol.times import in_iso, to_seconds

from ..frames.cases import needs_frames


class ToSeconds(unittest.TestCase):
    """Every spelling of a moment is the same number of seconds."""

    def test_spellings(self) -> None:
        """Numbers, aware datetimes, ISO text and "ago" agree."""
        moment = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
        seconds = moment.timestamp()
        for value in (seconds, moment, "2026-03-01T12:00:00Z", "2026-03-01T13:00+01:00", timedelta(hours=2)):
            with self.subTest(value):
                self.assertEqual(to_seconds(value, now=seconds + 7200), seconds)

    def test_fine(self) -> None:
        """Digits behind those of a datetime count, also before 1970."""
        for text, expected in (
            ("2026-01-01T00:00:00.123456789Z", 1767225600.123456789),
            ("2026-01-01 01:00:00,0000005+01:00", 1767225600.0000005),
            ("1969-12-31T23:59:59.1234567Z", -0.8765433),
        ):
            with self.subTest(text):
                self.assertEqual(in_iso(text), expected)
        with self.assertRaises(InvalidRange):
            to_seconds("2026-01-01 0.1234567", 0)

    def test_seconds_as_text(self) -> None:
        """Nine or ten digits are seconds, as a program may have them from its command line; fewer, or more, may be dates."""
        for text, expected in (
            ("1767225600", 1767225600.0),
            ("1767225600.5", 1767225600.5),
            ("999999999", 999999999.0),
            (" 1767225600\n", 1767225600.0),  # as a line of a file is
            ("2026-01-01T00:00Z\n", 1767225600.0),
        ):
            self.assertEqual(to_seconds(text, 0), expected)
        for text in ("17672256000", "1767225600.5.5", "-1767225600", "17672256x0", "12345.6789"):
            with self.subTest(text), self.assertRaises(InvalidRange):
                to_seconds(text, 0)

    def test_naive_is_local(self) -> None:
        """A datetime or text without an offset is local time."""
        naive = datetime(2026, 7, 1, 8, 30)
        self.assertEqual(to_seconds(naive, 0), naive.timestamp())
        self.assertEqual(to_seconds("2026-07-01 08:30", 0), naive.timestamp())

    def test_dates(self) -> None:
        """A date is its local midnight."""
        self.assertEqual(to_seconds(date(2026, 7, 1), 0), datetime(2026, 7, 1).timestamp())

    @needs_frames
    def test_of_libraries(self) -> None:
        """Those of pandas and NumPy mean what Python's own do, to the nanosecond; without a zone they are local time."""
        import numpy
        import pandas

        local, utc = datetime(2026, 7, 1, 8, 30), datetime(2026, 7, 1, 8, 30, tzinfo=timezone.utc)
        fine = Decimal(int(utc.timestamp())) + Decimal("0.123456789")
        values: list[tuple[Any, float]] = [
            (pandas.Timestamp(local), local.timestamp()),
            (pandas.Timestamp(utc), utc.timestamp()),
            (pandas.Timestamp("2026-07-01T08:30:00.123456789Z"), float(fine)),
            (pandas.Timedelta(hours=2), 9e9 - 7200),
            (numpy.timedelta64(2, "h"), 9e9 - 7200),
            (numpy.timedelta64(2 * 10**9, "ns"), 9e9 - 2),
            (numpy.int64(5), 5.0),
            (numpy.float32(0.5), 0.5),
        ]
        for unit in ("m", "s", "ms", "us", "ns"):
            values.append((numpy.datetime64(local.isoformat(), unit), local.timestamp()))
        for unit, day in (("D", (2026, 7, 1)), ("M", (2026, 7, 1)), ("Y", (2026, 1, 1)), ("h", (2026, 7, 1))):
            values.append((numpy.datetime64("2026-07-01", unit), datetime(*day).timestamp()))
        for value, expected in values:
            with self.subTest(repr(value)):
                self.assertEqual(to_seconds(value, 9e9), expected)
        for value in (pandas.NaT, numpy.datetime64("NaT"), numpy.timedelta64("NaT"), numpy.bool_(True)):
            with self.subTest(repr(value)), self.assertRaisesRegex(InvalidRange, "is no time"):
                to_seconds(value, 0)

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_numbers_stay(self, number: float) -> None:
        """A finite number is itself."""
        self.assertEqual(to_seconds(number, 0), number)

    def test_refusals(self) -> None:
        """What is no time is refused and shown."""
        values: list[Any] = [True, None, "banana 5", "", float("nan"), float("inf"), 10**400, [1], b"1"]
        for value in values:
            with self.subTest(value), self.assertRaisesRegex(InvalidRange, "is no time"):
                to_seconds(value, 0)
