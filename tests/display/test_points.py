"""Points as a table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import given

from connectordb.display import of_points

from ..support.case import Case
from ..support.strategies import datapoints


class PointTables(Case):
    """What a person reads."""

    def test_few(self) -> None:
        """Index, time where one lives, value as JSON; texts without quotes."""
        sheet = of_points([{"t": 1.7e9, "d": "ü"}, {"t": 1.7e9 + 0.25, "d": {"a": None}}], "it", first=5)
        at = datetime.fromtimestamp(1.7e9).strftime("%Y-%m-%d %H:%M:%S")
        self.assertEqual(sheet.rows, (("5", at, "ü"), ("6", f"{at}.250", '{"a":null}')))
        self.assertEqual(sheet.note, "2 datapoints")

    def test_many(self) -> None:
        """Of many the first and the last, with how many there are and what they look like."""
        sheet = of_points([{"t": float(number), "d": number} for number in range(100)], "it")
        self.assertEqual([row[0] for row in sheet.rows], ["0", "1", "2", "3", "4", "⋮", "95", "96", "97", "98", "99"])
        self.assertRegex(sheet.note, "^100 datapoints · ▁.*█$")
        self.assertEqual(of_points([{"t": 1.0, "d": 1}], "it", 7000).note, "7,000 datapoints")

    @given(datapoints())
    def test_anything(self, points: list[dict[str, Any]]) -> None:
        """Whatever is in points, a row is one short line."""
        for row in of_points(points, "it").rows:
            self.assertTrue(all(cell.isprintable() and len(cell) < 90 for cell in row), row)

    def test_no_time(self) -> None:
        """What is no time of any calendar is shown as it is."""
        self.assertEqual([row[1] for row in of_points([{"t": 1e300, "d": 1}, {"t": "x"}], "it").rows], ["1e+300", "x"])
