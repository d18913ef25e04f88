"""Frames and files that are appended to a stream."""

from __future__ import annotations

import tempfile
from pathlib import Path

from connectordb import DatapointArray, LocalProtocolError
from tests.frames.cases import needs_frames

from .test_long_stream import POINTS, LongStreamCase


@needs_frames
class Frames(LongStreamCase):
    """Frames, and Parquet files."""

    def test_insert_df(self) -> None:
        """What is taken out as a frame can be put into another stream, where it is the same."""
        other = self.filled([])
        other.insert_df(self.stream.to_df())
        self.assertEqual(other(), POINTS)

    def test_missing_and_infinite(self) -> None:
        """What is missing is null; what is infinite is refused, with its place and how many points are stored."""
        import pandas

        other = self.filled([])
        other.insert_df(pandas.Series([1.5, float("nan"), None], index=[1.0, 2.0, 3.0]))
        self.assertEqual(other().d(), [1.5, None, None])
        long = pandas.Series(range(12_000), index=range(10, 12_010), dtype=float)
        long.iloc[11_000] = float("inf")
        with self.assertRaisesRegex(LocalProtocolError, "datapoint 11000: .*10000"):
            other.insert_df(long.set_axis(long.index.astype(float)))
        self.assertEqual(len(other), 10_003)

    def test_doubtful(self) -> None:
        """Milliseconds, and integers that no float is, are refused, with their place."""
        import pandas

        other = self.filled([])
        for times, values, why in (
            ([1e9, 1767225600000.0], [1, 2], "datapoint 1 has t=1767225600000.0.*may be milliseconds"),
            ([1.0, 2.0], [1, 2**53 + 1], "datapoint 1 has the integer 9007199254740993.*insert_array"),
        ):
            series = pandas.Series(values, index=times)
            with self.assertRaisesRegex(LocalProtocolError, why):
                other.insert_df(series)
            file = self.folder() / "doubtful.parquet"
            series.rename("d").rename_axis("t").reset_index().to_parquet(file)
            with self.assertRaisesRegex(LocalProtocolError, why):
                other.from_parquet(file)
        self.assertEqual(len(other), 0)

    def test_parquet(self) -> None:
        """Likewise by way of a file."""
        other = self.filled([])
        with tempfile.TemporaryDirectory() as folder:
            self.stream.to_parquet(Path(folder) / "points.parquet")
            other.from_parquet(Path(folder) / "points.parquet")
        self.assertEqual(other(), POINTS)


class Csv(LongStreamCase):
    """CSV files of streams."""

    def setUp(self) -> None:
        """Have a file."""
        super().setUp()
        self.path = self.folder() / "a.csv"

    def test_round_trip(self) -> None:
        """What was written to a file is appended to another stream as it was, with its types."""
        values: list[object] = [1, 1.0, None, True, "5", "", "yes, no", [1, {"a": None}], {"a": 1}, 'a\r\n"b', 2**63]
        points: list[dict[str, object]] = [{"t": 1.6e9 + n / 3, "d": value} for n, value in enumerate(values)]
        for made in (points, POINTS, [], points[8:9] * 2):
            with self.subTest(made):
                stream = self.filled(made)
                stream.to_csv(self.path)
                copy = self.filled([])
                copy.from_csv(self.path)
                self.assertEqual(copy(), made)
                self.assertEqual(list(map(type, copy().d())), list(map(type, stream().d())))

    def test_ranges(self) -> None:
        """A range, or what a transform makes of it, is what is written."""
        self.stream.to_csv(self.path, i1=-2)
        self.assertEqual(DatapointArray.from_csv(self.path), POINTS[-2:])
        self.stream.to_csv(self.path, i1=-2, transform="$ * 0")
        self.assertEqual(DatapointArray.from_csv(self.path).d(), [0, 0])

    def test_units(self) -> None:
        """Times in milliseconds are read as such by who is told so."""
        self.path.write_text("1700000000500,1\n1700000001000,2\n")
        points = [{"t": 1700000000.5, "d": 1}, {"t": 1700000001.0, "d": 2}]
        copy = self.filled([])
        copy.from_csv(self.path, unit="ms")
        self.assertEqual((copy(), DatapointArray.from_csv(self.path, unit="ms")), (points, points))

    def test_refused(self) -> None:
        """What is no point is told with its line, and how many are stored; what does not go into columns leaves no file."""
        self.path.write_text("t,d\n1700000000,1\n1700000001,2\nyesterday,3\n")
        with self.assertRaisesRegex(LocalProtocolError, "a.csv': line 4: 'yesterday' is no time"):
            self.stream.from_csv(self.path)
        for line, why in (
            ("1767225600000,1", r"may be milliseconds.*\. unit='ms' reads it so"),
            ("1700000002,9007199254740993", "keeps as 9007199254740992"),
        ):
            self.path.write_text(f"1700000000,1\n{line}\n")
            with self.assertRaisesRegex(LocalProtocolError, f"datapoint 1 has .*{why}.*If it is meant, insert_array"):
                self.stream.from_csv(self.path)
        self.path.unlink()
        with self.assertRaisesRegex(LocalProtocolError, "other columns than the first, which has a:"):
            self.filled([{"t": 1.0, "d": {"a": 1}}, {"t": 2.0, "d": 5}]).to_csv(self.path)
        self.assertEqual(list(self.path.parent.iterdir()), [])
