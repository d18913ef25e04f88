"""Tests of `connectordb.protocol.http_dates`."""

from __future__ import annotations

import unittest

from connectordb.protocol.http_dates import LONGEST, retry_after, seconds

NOON = "Sun, 06 Nov 1994 08:49:37 GMT"


class HttpDatesTests(unittest.TestCase):
    """What a server says of time."""

    def test_seconds(self) -> None:
        """A date is seconds since 1970; what is none is nothing."""
        self.assertEqual(seconds(NOON), 784111777.0)
        for bad in ("", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 99999999 08:49:37 GMT"):
            with self.subTest(bad=bad):
                self.assertIsNone(seconds(bad))

    def test_retry_after(self) -> None:
        """It is a number of seconds, or a date beside that of the answer; never more than the longest."""
        later = "Sun, 06 Nov 1994 08:50:00 GMT"
        for headers, wanted in (
            ({"Retry-After": "7"}, 7.0),
            ({"RETRY-AFTER": " 0 "}, 0.0),
            ({"Retry-After": "9" * 5000}, LONGEST),
            ({"Retry-After": later, "Date": NOON}, 23.0),
            ({"Retry-After": NOON, "Date": later}, 0.0),
            ({"Retry-After": later}, None),
            ({"Retry-After": "soon", "Date": NOON}, None),
            ({"Retry-After": "-3"}, None),
            ({}, None),
        ):
            with self.subTest(headers=str(headers)[:60]):
                self.assertEqual(retry_after(headers), wanted)
