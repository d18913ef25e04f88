"""Points as lines of text."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given

from connectordb.exceptions import LocalProtocolError
from connectordb.point_files import csv_lines, points, read_csv, write_csv
from connectordb.point_files.cells import HARD

from ..frames.cases import POINTS
from ..support.case import Case


def read(text: str) -> list[Any]:
    """Return the points in a text."""
    return list(points(io.BytesIO(text.encode())))


class Writing(Case):
    """What is printed."""

    def csv(self, *made: dict[str, Any]) -> str:
        """Return points as CSV."""
        return b"".join(csv_lines(made)).decode()

    def test_values(self) -> None:
        """A time and a value; of objects a column for each name."""
        self.assertEqual(
            self.csv(
                {"t": 1, "d": 'a "b",\nc'}, {"t": 2.5, "d": None}, {"t": 3, "d": [1, True]}, {"t": 4, "d": {"a": 1}}
            ),
            't,d\n1,"a ""b"",\nc"\n2.5,\n3,"[1,true]"\n4,"{""a"":1}"\n',
        )
        self.assertEqual(
            self.csv({"t": 1, "d": {"a": 1, "b": False}}, {"t": 2, "d": {"b": None, "a": "x"}}),
            "t,a,b\n1,1,false\n2,x,\n",
        )
        self.assertEqual(self.csv({"t": 1, "d": {"t": 5}}), 't,d\n1,"{""t"":5}"\n')

    def test_other_columns(self) -> None:
        """Rows have the columns of the first, or are refused."""
        for value in (5, {"a": 1, "b": 2}, {"b": 1}):
            with (
                self.subTest(value),
                self.assertRaisesRegex(LocalProtocolError, "t=2 has other columns than the first, which has a:"),
            ):
                self.csv({"t": 1, "d": {"a": 1}}, {"t": 2, "d": value})

    def test_odd_columns(self) -> None:
        """However many they are, and whatever they are called, that is a line."""
        names = {f"a\n{number}": number for number in range(100)}
        with self.assertRaisesRegex(LocalProtocolError, "the first, which has a·0, a·1, .{60,80}…: CSV"):
            self.csv({"t": 1, "d": names}, {"t": 2, "d": 1})

    @given(POINTS)
    def test_reads_back(self, made: list[dict[str, Any]]) -> None:
        """Every value is read back as it was; where each is an object, a key that is not there comes back as null."""
        try:
            text = self.csv(*made)
        except LocalProtocolError:
            self.assertGreater(len({str(point["d"].keys()) if type(point["d"]) is dict else "" for point in made}), 1)
            return
        found = read(text)
        self.assertEqual([with_nulls(point, made) for point in found], [with_nulls(point, made) for point in made])
        for before, after in zip(made, found, strict=True):
            self.assertIs(type(after["d"]), type(before["d"]))

    def test_texts(self) -> None:
        """Text that says something else without quotes has them."""
        for text in (
            "5",
            "",
            " ",
            " 5",
            "true",
            "null",
            "[1]",
            '"a"',
            "a\rb",
            "\0",
            "x",
            "1,5",
            '"',
            "a\nb",
            "1_0",
            "x" * 200_000,
        ):
            with self.subTest(text[:9]):
                self.assertEqual(read(self.csv({"t": 1, "d": text})), [{"t": 1, "d": text}])
        self.assertNotIn("\x1b", self.csv({"t": 1, "d": "\x1b[2J"}))
        self.assertEqual(self.csv({"t": 1, "d": "5"}, {"t": 2, "d": "five"}), 't,d\n1,"""5"""\n2,five\n')

    def test_file(self) -> None:
        """A file is written whole, or not at all."""
        path = self.folder() / "a.csv"
        write_csv(iter([{"t": 1.5, "d": True}]), path)
        self.assertEqual(path.read_text(), "t,d\n1.5,true\n")
        with self.assertRaises(LocalProtocolError):
            write_csv([{"t": 1, "d": {"a": 1}}, {"t": 2, "d": 1}], path)
        self.assertEqual(
            [(each.name, each.read_text()) for each in path.parent.iterdir()], [("a.csv", "t,d\n1.5,true\n")]
        )
        write_csv([], path)
        self.assertEqual(path.read_text(), "t,d\n")
        self.assertEqual(list(read_csv(path)), [])


def with_nulls(point: dict[str, Any], made: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a point with all keys that the first has, where these are columns."""
    first = made[0]["d"]
    if not isinstance(first, dict) or not first or "t" in first or list(first) == ["d"]:
        return point
    if any(HARD & set(name) or name != name.strip() or not name for name in first):
        return point
    return {"t": point["t"], "d": {**dict.fromkeys(first), **point["d"]}}
