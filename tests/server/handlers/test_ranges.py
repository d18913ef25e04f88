"""Ranges of points."""

from __future__ import annotations

import time
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.handlers import Refusal
from connectordb.server.handlers.ranges import Range, decimal, index_bounds, read_range

from ...support.case import Case

INDEX = st.integers(-12, 12)


class Indices(Case):
    """Indices as they are given."""

    @given(st.integers(1, 8), INDEX, INDEX)
    def test_like_slices(self, length: int, i1: int, i2: int) -> None:
        """What is not refused is what slicing a list gives, 0 as the end being the end."""
        points = list(range(length))
        wanted = points[i1 : i2 or None]
        try:
            first, last = index_bounds(length, i1, i2)
        except Refusal:
            self.assertEqual(wanted, [])
        else:
            self.assertEqual(points[first:last], wanted)

    def test_table(self) -> None:
        """The examples of the wire's description."""
        for i1, i2, wanted in ((0, 0, (0, 5)), (-2, -1, (3, 4)), (3, 99, (3, 5)), (5, 99, (5, 5)), (-99, -5, (0, 0))):
            with self.subTest(i1=i1, i2=i2):
                self.assertEqual(index_bounds(5, i1, i2), wanted)
        for i1, i2 in ((6, 0), (6, 99), (-99, -7), (3, 2)):
            with self.subTest(i1=i1, i2=i2), self.assertRaises(Refusal):
                index_bounds(5, i1, i2)

    def test_never_a_point(self) -> None:
        """A series without points only refuses what begins behind its beginning."""
        self.assertEqual(index_bounds(0, -5, -2), (0, 0))
        with self.assertRaises(Refusal):
            index_bounds(0, 1, 0)


class Parameters(Case):
    """Ranges in a query."""

    def test_numbers(self) -> None:
        """Numbers are read as a 0.3 server reads them."""
        self.assertEqual(read_range({"i1": "+2", "i2": "0x1F"}), Range(True, 2, 31))
        self.assertEqual(read_range({"i1": "-010", "t1": "nonsense"}), Range(True, -8, 0))
        self.assertEqual(read_range({"t1": "-1e3", "limit": "7"}), Range(False, t1=-1000.0, limit=7))
        self.assertEqual(read_range({"t1": "1", "limit": "010"}), Range(False, t1=1.0, limit=8))
        self.assertEqual(read_range({"t1": "1", "limit": f"{2**64 - 1:#x}"}).limit, 2**64 - 1)
        self.assertEqual(decimal("-Inf"), float("-inf"))

    def test_refused(self) -> None:
        """Anything else is refused."""
        for query in (
            *({}, {"limit": "1"}, {"i1": "1.5"}, {"i1": " "}, {"i1": "1" * 5000}, {"i1": "9223372036854775808"}),
            *({"i2": "1_0"}, {"i1": "09"}, {"i1": "٣"}, {"t1": "abc"}, {"t1": "1_0"}, {"t1": "NaN"}, {"t1": "1e999"}),
            *({"t1": "1", "limit": "-1"}, {"t1": "1", "limit": "1.5"}, {"t1": "1", "limit": "²"}),
            *({"t1": "1", "limit": "08"}, {"t1": "1", "limit": "+1"}, {"t1": "1", "limit": str(2**64)}),
        ):
            with self.subTest(query), self.assertRaises(Refusal) as caught:
                read_range(query)
            self.assertEqual(caught.exception.status, 400)

    @given(st.sampled_from([("i1", "i2"), ("t1", "limit"), ("t2", "limit")]), st.text(max_size=8), st.text(max_size=8))
    def test_never_anything_else(self, names: tuple[str, str], first: str, second: str) -> None:
        """Whatever is given, there is a range or a refusal."""
        read: Callable[[dict[str, str]], Range] = read_range
        try:
            self.assertIsInstance(read(dict(zip(names, (first, second), strict=True))), Range)
        except Refusal as refusal:
            self.assertEqual(refusal.status, 400)

    def test_long_numbers(self) -> None:
        """A text that is almost a number, and very long, takes no time."""
        begin = time.thread_time()
        self.assertIsNone(decimal("1" * 60_000 + "x"))
        for name in ("i1", "t1"):
            with self.assertRaises(Refusal):
                read_range({name: "1" * 60_000 + "x"})
        self.assertLess(time.thread_time() - begin, 0.5)
