"""What picture values ask for."""

from __future__ import annotations

from fractions import Fraction
from math import isnan
from typing import Any

from hypothesis import given

from connectordb.exceptions import LocalProtocolError
from connectordb.frames import Columns
from connectordb.pictures import Kind, Series, of_columns, of_points

from ..frames.cases import POINTS, needs_frames
from ..support.case import Case
from .cases import points


def comparable(series: list[Series]) -> list[Any]:
    """Return series with NaN as what equals itself."""
    return [(*each[:4], [None if value != value else value for value in each.values]) for each in series]


class SeriesTests(Case):
    """Of points."""

    def one(self, *values: Any) -> Series:
        """Return the series of values."""
        (found,) = of_points(points(*values), "x")
        return found

    def test_kinds(self) -> None:
        """Values of a kind are that; null is of every kind; several kinds are texts, written as JSON."""
        for values, kind in (
            ((1, 2.5, None), Kind.NUMBERS),
            ((True, None, False), Kind.BOOLEANS),
            (("a", None, "b"), Kind.TEXTS),
            ((None, None), Kind.NUMBERS),
            ((), Kind.NUMBERS),
            ((1, True), Kind.TEXTS),
            (({"a": 1}, 1), Kind.TEXTS),
        ):
            with self.subTest(values):
                self.assertIs(self.one(*values).kind, kind)
        self.assertEqual(self.one("a", [1, 2], None).values, ["a", "[1,2]", None])

    def test_nulls(self) -> None:
        """A null among numbers or booleans is NaN; so is an integer beyond every float, which has no place in a picture."""
        self.assertTrue(isnan(self.one(1, None).numbers[1]))
        self.assertTrue(isnan(self.one(True, None).numbers[1]))
        self.assertTrue(isnan(self.one(1, 10**400).numbers[1]))

    def test_nearly(self) -> None:
        """Some texts among many numbers or booleans are gaps, and counted."""
        for value, kind in ((5.0, Kind.NUMBERS), (True, Kind.BOOLEANS)):
            series = self.one(*[value] * 4000, "failed", None, *[value] * 4000, {})
            self.assertEqual((series.kind, series.name), (kind, "x (2 of another kind)"))
            self.assertEqual(sum(map(isnan, series.numbers)), 3)
            self.assertEqual(self.one(*[value] * 8, "failed").kind, Kind.TEXTS)

    def test_made(self) -> None:
        """What somebody made is drawn as well: numbers of other libraries, and by its name what no server has; but a time is a number."""
        self.assertEqual(list(self.one(Fraction(1, 2), 2).numbers), [0.5, 2.0])
        self.assertEqual(self.one({1}, "x").texts, ["{1}", "x"])
        for t in ("x", None, 10**400):
            with self.assertRaisesRegex(LocalProtocolError, "datapoint 1 has t=.*expected seconds since 1970"):
                of_points([{"t": 1, "d": 1}, {"t": t, "d": 1}])

    def test_in_order(self) -> None:
        """What is out of order is put in order, values with their times."""
        for values in ([3, 1, 2], ["c", "a", "b"]):
            found = of_points([{"t": float(ord(str(value)) % 8), "d": value} for value in values])[0]
            self.assertEqual(list(found.times), sorted(found.times))
            self.assertEqual(list(found.values), sorted(values))

    def test_objects(self) -> None:
        """Each key is a series; one that an object lacks is a null there. Names say which."""
        rain, sky = of_points(points({"rain": 1, "sky": "grey"}, {"rain": 2}), "weather")
        self.assertEqual((rain.name, list(rain.values)), ("weather rain", [1.0, 2.0]))
        self.assertEqual((sky.name, sky.values), ("weather sky", ["grey", None]))
        rain, sky = of_points(points({"rain": 1, "sky": "grey"}, None), "weather")
        self.assertEqual((isnan(rain.numbers[1]), sky.texts), (True, ["grey", None]))

    def test_units(self) -> None:
        """The schema says the unit, of all or of each key; whatever else stands there is none."""
        self.assertEqual(of_points(points(1), "x", {"unit": "°C"})[0].unit, "°C")
        schema = {"unit": "no", "properties": {"a": {"unit": "mm"}, "b": {"unit": 5}, "c": True}}
        found = of_points(points({"a": 1, "b": 1, "c": 1, "d": 1}), "x", schema)
        self.assertEqual([each.unit for each in found], ["mm", "", "", ""])
        for odd in (None, [], "text", {"properties": []}, {"unit": None}):
            self.assertEqual([each.unit for each in of_points(points({"a": 1}, {"a": 2}), "x", odd)], [""])

    @needs_frames
    @given(POINTS)
    def test_columns(self, made: list[dict[str, Any]]) -> None:
        """Columns give what their points give."""
        self.assertEqual(comparable(of_columns(Columns.of(made), "x")), comparable(of_points(made, "x")))
