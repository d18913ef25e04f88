"""Tests of `connectordb.logger.limits`."""

from __future__ import annotations

import unittest
from typing import Any

from connectordb.exceptions import LocalProtocolError
from connectordb.logger.limits import Limits


class LimitsTests(unittest.TestCase):
    """Bounds are checked at the door."""

    def test_good(self) -> None:
        """None is no bound, and all of them may be given."""
        self.assertFalse(Limits())
        self.assertEqual(str(Limits()), "no bounds")
        limits = Limits(1, 256 * 1024, 60, "thin")
        self.assertTrue(limits)
        self.assertEqual(str(limits), "at most points: 1, bytes: 262144, seconds old: 60; on_full='thin'")
        self.assertTrue(Limits(max_age=1.5))

    def test_bad(self) -> None:
        """What makes no sense is refused, by its name."""
        for bad in (
            {"max_points": 0},
            {"max_points": True},
            {"max_points": 1.5},
            {"max_points": "5"},
            {"max_bytes": 1000},
            {"max_bytes": float("inf")},
            {"max_age": 0.5},
            {"max_age": float("nan")},
            {"max_age": float("inf")},
            {"max_age": "1h"},
            {"on_full": "drop", "max_points": 5},
            {"on_full": "thin"},
            {"on_full": "drop_oldest", "max_age": 60},
        ):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, next(iter(bad))):
                given: dict[str, Any] = dict(bad)
                Limits(**given)
