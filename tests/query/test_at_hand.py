"""Points at hand, with a range."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import InvalidRange, LocalProtocolError, PipeScriptError
from connectordb.query.at_hand import AtHand

from ..support.case import Case

TEN = [{"t": t, "d": t} for t in range(1, 11)]


def read(fields: dict[str, Any], transform: str = "", since: float | None = None, points: Any = None) -> list[Any]:
    """Return the values of a range."""
    return [point["d"] for point in AtHand(TEN if points is None else points, fields, transform).read(since)]


class Ranges(Case):
    """They are a server's."""

    def test_times(self) -> None:
        """The first is exclusive, the second inclusive; 0 and less are the beginning and the end."""
        for fields, wanted in (
            ({}, [*range(1, 11)]),
            ({"t1": 3.0, "t2": 5.0}, [4, 5]),
            ({"t1": -1.0, "t2": 2.0}, [1, 2]),
            ({"t1": 8.5, "t2": -1.0}, [9, 10]),
            ({"t1": 5.0, "t2": 3.0}, []),
            ({"t1": 2.0, "limit": 2}, [3, 4]),
            ({"limit": 1}, [1]),
            ({"t1": 0.0, "t2": 0.0, "limit": 0}, [*range(1, 11)]),
        ):
            with self.subTest(fields):
                self.assertEqual(read(fields), wanted)

    def test_limit_counts_results(self) -> None:
        """It is applied behind the transform."""
        self.assertEqual(read({"limit": 2}, "if $ > 5"), [6, 7])
        # and what lies behind is not looked at
        self.assertEqual(read({"limit": 1}, "$ + 1", points=[{"t": 1, "d": 1}, {"t": 2, "d": "x"}]), [2])

    def test_indices(self) -> None:
        """Negative ones count from the end, a range that ends before it begins is refused."""
        for i1, i2, wanted in (
            (0, 0, [*range(1, 11)]),
            (-3, 0, [8, 9, 10]),
            (-3, -1, [8, 9]),
            (2, 4, [3, 4]),
            (10, 0, []),
            (-99, 2, [1, 2]),
            (3, 99, [*range(4, 11)]),
        ):
            with self.subTest(i1=i1, i2=i2):
                self.assertEqual(read({"i1": i1, "i2": i2}), wanted)
        for i1, i2 in ((11, 0), (5, 3), (-1, -3)):
            with self.subTest(i1=i1, i2=i2), self.assertRaises(InvalidRange):
                read({"i1": i1, "i2": i2})
        self.assertEqual(read({"i1": -5, "i2": -9}, points=[]), [])
        self.assertRaises(InvalidRange, read, {"i1": 1}, points=[])

    def test_columns(self) -> None:
        """One without a range begins ten points before its dataset does; one that ends before it is there as a whole."""
        many = [{"t": t, "d": t} for t in range(1, 31)]
        for since, first in ((0, 1), (5, 1), (11, 2), (15.5, 6), (29, 20), (30, 1), (99, 1)):
            with self.subTest(since):
                self.assertEqual(read({}, since=since, points=many), [*range(first, 31)])
                self.assertEqual(read({"t1": 25.0}, since=since, points=many), [*range(26, 31)])

    @given(st.lists(st.integers(0, 9)))
    def test_order(self, times: list[int]) -> None:
        """Points that are out of order are put into it, stably; the list stays as it is."""
        points = [{"t": t, "d": number} for number, t in enumerate(times)]
        before = list(points)
        found = list(AtHand(points, {}, "").read())
        self.assertEqual(found, sorted(points, key=lambda point: (point["t"], point["d"])))
        self.assertEqual(points, before)


class Refused(Case):
    """What is none is told."""

    def test_points(self) -> None:
        """A point is a dict whose time is a number."""
        bad: list[Any] = [5, None, {"t": "5"}, {"t": None}, {"t": True, "d": 1}, {"t": float("nan")}]
        for point in bad:
            with (
                self.subTest(point),
                self.assertRaisesRegex(LocalProtocolError, "is no datapoint, at 1"),
            ):
                list(AtHand([{"t": 1, "d": 1}, point], {}, "").read())

    def test_transform(self) -> None:
        """A script that is none is told at once."""
        with self.assertRaises(PipeScriptError):
            AtHand([], {}, "if if")
