"""What a cell of CSV says."""

from __future__ import annotations

import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.point_files.cells import cell_of, number_in, value_in
from connectordb.protocol import json_text

from ..support.strategies import values


class Cells(unittest.TestCase):
    """There and back."""

    @given(values)
    def test_round_trip(self, value: Any) -> None:
        """Every value has a cell that says it, and no other."""
        found = value_in(cell_of(value))
        self.assertEqual((type(found), found), (type(value), value))

    @given(st.text())
    def test_anything(self, cell: str) -> None:
        """Whatever a cell has in it, it is a value of JSON."""
        json_text.checked(value_in(cell))

    def test_numbers(self) -> None:
        """Integers stay such up to 64 bits; what only Python takes for numbers is text."""
        cells = {"7": 7, "-007": -7, "1.50": 1.5, "1e3": 1000.0, "9007199254740993": 9007199254740993, "9" * 20: 1e20}
        for cell, number in cells.items():
            with self.subTest(cell):
                self.assertEqual((type(number_in(cell)), number_in(cell)), (type(number), number))
        for cell in ("", "1_0", "inf", "nan", "1e999", "0x10", "٣", "--1", "1-1", "e"):
            with self.subTest(cell):
                self.assertIsNone(number_in(cell))
