"""Conversions between values."""

from __future__ import annotations

import math
import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript.values import number_in, to_number


class Numbers(unittest.TestCase):
    """What counts as a number."""

    def test_what_is_one(self) -> None:
        """Null, truth values, and texts that are numbers."""
        for value, number in (
            *((None, 0), (True, 1), (False, 0), (3, 3), (2.5, 2.5), ("true", 1), ("false", 0)),
            *(("5", 5), (" 5.\n", 5), (".5", 0.5), ("-1e3", -1000), ("+1E-2", 0.01), ("\u3000 7\xa0", 7)),
            *(("inf", math.inf), ("-Infinity", -math.inf), ("+INF", math.inf)),
        ):
            with self.subTest(value):
                self.assertEqual(to_number(value), number)
                self.assertIs(type(to_number(value)), float)
        self.assertTrue(math.isnan(to_number("NaN")))

    def test_what_is_none(self) -> None:
        """Also what Python's float takes, and what is beyond a float."""
        for value in (
            "",
            " ",
            "True",
            " true",
            "1_000",
            "١",
            "0x1",
            "1e400",
            "+nan",
            "1 2",
            ".",
            "e5",
            "\x1c5",
            [],
            {},
            [1],
        ):
            with self.subTest(value), self.assertRaisesRegex(PipeScriptError, "Could not convert '"):
                to_number(value)

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_any_float_as_text(self, number: float) -> None:
        """Reads back."""
        self.assertEqual(number_in(repr(number)), number)
