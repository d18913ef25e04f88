"""Points as tables of Arrow and Parquet files, and back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import given, settings

from connectordb.exceptions import ConnectionFailed, LocalProtocolError
from connectordb.frames import Columns, columns, from_arrow, pieces_of, read_parquet, to_arrow, write_parquet

from ..support.case import Case
from .cases import POINTS, needs_frames, without_nulls


@needs_frames
class Tables(Case):
    """There and back."""

    @given(POINTS)
    def test_round_trip(self, points: list[dict[str, Any]]) -> None:
        """What was a table is what it was before, to the last digit of its times."""
        self.assertEqual(list(from_arrow(to_arrow(Columns.of(points)))), without_nulls(points))

    def test_kinds(self) -> None:
        """Columns are as narrow as values allow; what is no kind that others know is JSON."""
        for values, kind in (
            ([1, 2], "int64"),
            ([1, 2.5, None], "double"),
            ([True, None], "bool"),
            (["a", None], "string"),
            ([[1], "a"], "string"),
            ([None], "null"),
        ):
            with self.subTest(values):
                table = to_arrow(Columns.of([{"t": 1.6e9, "d": value} for value in values]))
                self.assertEqual(
                    (str(table.schema.field("t").type), str(table.schema.field("d").type)),
                    ("timestamp[ns, tz=UTC]", kind),
                )

    def test_no_values(self) -> None:
        """What is no value is told, with its place."""
        for value, why in (
            ({1}, r"at \[1\] is no JSON"),
            ([1, 10**400], "more than 64"),
            ("\ud800", r"text at \[1\].*UTF-8"),
        ):
            with self.subTest(value), self.assertRaisesRegex(LocalProtocolError, why):
                to_arrow(Columns.of([{"t": 1.0, "d": "x"}, {"t": 2.0, "d": value}]))

    def test_parquet(self) -> None:
        """A file holds what the table did; what is kept meanwhile is beside it, as the usual place may be in memory."""
        points = [{"t": 1.6e9 + number, "d": {"x": number, "y": [number]}} for number in range(1000)]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "points.parquet"
            with mock.patch.object(tempfile, "tempdir", f"{folder}/absent"):
                write_parquet(pieces_of(points), file)
            self.assertEqual(list(read_parquet(file)), points)

    @settings(max_examples=30, deadline=None)
    @given(POINTS)
    def test_files(self, points: list[dict[str, Any]]) -> None:
        """Whatever points there are, and however few are in memory at once, a file is their table and brings them back."""
        import pyarrow.parquet

        whole = to_arrow(Columns.of(points))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "points.parquet"
            for size in (1, 5, 50):
                with mock.patch.object(columns, "_PIECE", size):
                    write_parquet(pieces_of(points), file)
                self.assertTrue(pyarrow.parquet.read_table(file).equals(whole, check_metadata=False))
            self.assertEqual(list(read_parquet(file)), without_nulls(points))

    def test_cut_off(self) -> None:
        """Where points end with an error, what was there is there still, and nothing else."""

        def coming() -> Iterator[dict[str, Any]]:
            yield {"t": 1.6e9, "d": 1}
            raise ConnectionFailed("away")

        folder = self.folder()
        (folder / "points.parquet").write_bytes(b"before")
        with self.assertRaises(ConnectionFailed):
            write_parquet(pieces_of(coming()), folder / "points.parquet")
        self.assertEqual([(each.name, each.read_bytes()) for each in folder.iterdir()], [("points.parquet", b"before")])

    def test_other_files(self) -> None:
        """A file of another kind is told by its name."""
        file = self.folder() / "a.csv"
        file.write_text("t,d\n1,2\n")
        with self.assertRaisesRegex(LocalProtocolError, "a.csv' is no Parquet file"):
            next(read_parquet(file))

    def test_other_tables(self) -> None:
        """Seconds are times as well; what is none is refused."""
        import pyarrow

        self.assertEqual(
            list(from_arrow(pyarrow.table({"t": [1, 2], "d": ["a", None]}))),
            [{"t": 1.0, "d": "a"}, {"t": 2.0, "d": None}],
        )
        for unit, count in (("s", 221845392000), ("ms", 221845392000_000), ("us", 221845392000_000_000)):
            times = pyarrow.array([count], pyarrow.timestamp(unit, "Europe/Berlin"))
            self.assertEqual(list(from_arrow(pyarrow.table({"t": times, "d": [1]}))), [{"t": 221845392000.0, "d": 1}])
        for table, why in (
            (pyarrow.table({"d": [1]}), "have to be 't'"),
            (pyarrow.table({"t": ["x"], "d": [1]}), "no times"),
            (pyarrow.table({"t": [None, 1.0], "d": [1, 2]}), "has no time"),
            (pyarrow.table({"t": pyarrow.array([1], pyarrow.timestamp("s")), "d": [1]}), "no time zone"),
        ):
            with self.subTest(why), self.assertRaisesRegex(LocalProtocolError, why):
                list(from_arrow(table))
