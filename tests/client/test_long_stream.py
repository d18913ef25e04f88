"""Streams in pages, and point by point."""

from __future__ import annotations

from connectordb import DatapointArray, InvalidRange, InvalidRequest, LocalProtocolError, Stream
from tests.frames.cases import needs_frames
from tests.support.target import TargetCase, new_name

POINTS = [{"t": 1.6e9 + number // 2, "d": number / 4} for number in range(40)]


class LongStreamCase(TargetCase):
    """A stream with some points."""

    def setUp(self) -> None:
        """Make it."""
        super().setUp()
        self.stream = self.filled(POINTS)

    def filled(self, points: list[dict[str, object]], schema: str = "{}") -> Stream:
        """Return a new stream that holds *points*."""
        stream = self.connect(self.device_key)[new_name()]
        stream.create(schema)
        stream.insert_array(points)
        return stream


class Pages(LongStreamCase):
    """Page by page."""

    def test_pages(self) -> None:
        """Every page but the last is full; together they are the range."""
        pages = list(self.stream.pages(15))
        self.assertEqual([len(page) for page in pages], [15, 15, 10])
        self.assertIsInstance(pages[0], DatapointArray)
        self.assertEqual([point for page in pages for point in page], POINTS)

    def test_ranges(self) -> None:
        """A range holds the same points as if it were read at once."""
        for given in (
            {"i1": -7},
            {"i1": 3, "i2": -3},
            {"t1": 1.6e9 + 3},
            {"t1": 1.6e9 + 3, "t2": 1.6e9 + 8},
            {"t1": 1.6e9 + 3, "limit": 7},
            {"limit": 9},
            {"t1": 2e9},
        ):
            with self.subTest(given):
                paged = [point for page in self.stream.pages(4, **given) for point in page]  # type: ignore[arg-type]
                self.assertEqual(paged, self.stream(**given))  # type: ignore[arg-type]

    def test_refused(self) -> None:
        """What is no range, or no size, is refused before anything is read."""
        with self.assertRaises(InvalidRange):
            self.stream.pages(i1=1, t1=2)
        for size in (0, -1, True, 2.5):
            with self.subTest(size), self.assertRaisesRegex(LocalProtocolError, "a page has one point"):
                self.stream.pages(size)  # type: ignore[arg-type]
        with self.assertRaisesRegex(LocalProtocolError, r"points\(transform=…\) yields it"):
            self.stream.pages(transform="mean")


@needs_frames
class Points(LongStreamCase):
    """One by one."""

    def test_ranges(self) -> None:
        """They are those that a read returns, of any range, with a transform or without one; none where there are none."""
        for given in (
            {},
            {"i1": 7, "i2": 30},
            {"t1": 1.6e9 + 3, "t2": 1.6e9 + 9, "limit": 5},
            {"i1": 30, "i2": 7},
            {"transform": "if $ > 5"},
            {"i1": -9, "transform": "$ * 2"},
            {"i1": 30, "i2": 7, "transform": "$ * 2"},
            {"transform": "if $ > 1000"},
        ):
            with self.subTest(given):
                self.assertEqual(list(self.stream.points(**given)), self.stream(**given))  # type: ignore[arg-type]
        with self.assertRaises(InvalidRange):
            self.stream.points(t1=1, i1=1)
        with self.assertRaises(InvalidRequest):
            next(self.stream.points(transform="nothing("))

    def test_csv(self) -> None:
        """What a transform makes is written as it comes; if that fails there is no file."""
        file = self.folder() / "a.csv"
        self.stream.to_csv(file, i1=4, i2=6, transform="$ * 2")
        self.assertEqual(file.read_text(), "t,d\n1600000002,2\n1600000002,2.5\n")
        with self.assertRaises(InvalidRequest):
            self.stream.to_csv(self.folder() / "b.csv", transform="nothing(")
