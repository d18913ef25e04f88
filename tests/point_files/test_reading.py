"""Points as text."""

from __future__ import annotations

import io
import json
import unittest
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import LocalProtocolError
from connectordb.point_files import line_of, points, read_csv

from ..support.case import Case
from ..support.strategies import datapoints


class Blocks(io.RawIOBase):
    """A file that gives so many bytes at a time."""

    def __init__(self, text: bytes, size: int) -> None:
        self._parts = [text[at : at + size] for at in range(0, len(text), size)]

    def read1(self, most: int) -> bytes:
        """Return the next of them."""
        return self._parts.pop(0) if self._parts else b""


def read(text: str | bytes, size: int = 1000) -> list[Any]:
    """Return the points in a text."""
    return list(points(Blocks(text if isinstance(text, bytes) else text.encode(), size)))  # type: ignore[arg-type]


class Reading(unittest.TestCase):
    """Whatever form they have."""

    @given(datapoints(), st.integers(1, 50))
    def test_json(self, made: list[dict[str, Any]], size: int) -> None:
        """Lines and arrays are the same points, however they are cut."""
        wanted = json.loads(json.dumps(made))
        lines = b"\r\n \n".join(json.dumps(point).encode() for point in made)
        self.assertEqual(read(lines, size), wanted)
        self.assertEqual(read(b"\xef\xbb\xbf" + lines, size), wanted)
        self.assertEqual(read(json.dumps(made, indent=1), size), wanted)
        self.assertEqual(read(b"".join(map(line_of, made)), size), wanted)

    @given(
        st.lists(st.tuples(st.integers(1, 99), st.floats(allow_nan=False, allow_infinity=False))), st.integers(1, 50)
    )
    def test_numbers_in_csv(self, made: list[tuple[int, float]], size: int) -> None:
        """Numbers read back as they were written, with a line of names and without."""
        wanted = [{"t": t, "d": d} for t, d in made]
        text = "".join(f"{t},{d!r}\n" for t, d in made)
        self.assertEqual(read(text, size), wanted)
        self.assertEqual(read(f"t,d\n{text}", size), wanted)

    def test_cells(self) -> None:
        """A cell is what it looks like; a time may be a date; other columns are an object."""
        text = (
            "when,t,d\n"
            'x,1970-01-01T00:00:05Z," "\n'
            "true,1e1,false\n"
            '"a, ""b""\nc",7,007\n'
            '"[1, 2]",8,"{""a"": 5}"\n'
            "nan,9,1_0\n"
            "[,10,inf\n"
        )
        self.assertEqual(
            read(text),
            [
                {"t": 5, "d": {"when": "x", "d": None}},
                {"t": 10, "d": {"when": True, "d": False}},
                {"t": 7, "d": {"when": 'a, "b"\nc', "d": 7}},
                {"t": 8, "d": {"when": [1, 2], "d": {"a": 5}}},
                {"t": 9, "d": {"when": "nan", "d": "1_0"}},
                {"t": 10, "d": {"when": "[", "d": "inf"}},
            ],
        )

    def test_units(self) -> None:
        """Numbers may be counted otherwise than in seconds; text that is a date is what it is."""
        for unit, t in (("s", 1.5), ("ms", 1500), ("us", 1_500_000), ("ns", 1_500_000_000)):
            for text in (f"t,d\n{t},1\n1970-01-01T00:00:02Z,2", f"{t},1", f'{{"t":{t},"d":1}}', f'[{{"t":{t},"d":1}}]'):
                with self.subTest(unit=unit, text=text):
                    found = list(points(Blocks(text.encode(), 9), unit=unit))  # type: ignore[arg-type]
                    self.assertEqual(found, [{"t": 1.5, "d": 1}, {"t": 2, "d": 2}][: len(found)])
        with self.assertRaisesRegex(LocalProtocolError, "unit='h': expected one of 's', 'ms', 'us', 'ns'"):
            points(Blocks(b"", 1), unit="h")  # type: ignore[arg-type]

    def test_names(self) -> None:
        """What stands around a name is none of it."""
        self.assertEqual(read("t, d\n1, 5\n"), [{"t": 1, "d": 5}])
        self.assertEqual(read(' t ,"a ", b\n1,5,6\n'), [{"t": 1, "d": {"a": 5, "b": 6}}])

    def test_little(self) -> None:
        """Nothing is no points; what a point lacks is 0 and null."""
        for text in ("", "\n \n", "[]", " [ ] ", "t,d\n"):
            with self.subTest(text):
                self.assertEqual(read(text), [])
        self.assertEqual(read('{"o":"a/b"}'), [{"t": 0, "d": None}])

    def test_as_it_comes(self) -> None:
        """A point is there before what is behind it, and somebody is told before waiting."""
        asked: list[str] = []

        class Slow(io.RawIOBase):
            def read1(self, most: int) -> bytes:
                asked.append("read")
                return b'{"t":1}\n{"t":2' if len(asked) == 2 else b"}\n" if len(asked) == 4 else b""

        found: Iterator[Any] = points(Slow(), lambda: asked.append("told"))  # type: ignore[arg-type]
        self.assertEqual((next(found)["t"], asked), (1, ["told", "read"]))
        self.assertEqual((next(found)["t"], asked), (2, ["told", "read"] * 2))

    @given(st.binary(max_size=40) | st.text('{}[]"td:,1.e-\\n x', max_size=40), st.integers(1, 9))
    def test_anything(self, text: bytes | str, size: int) -> None:
        """Whatever a file has in it, it is points, or refused as none."""
        try:
            found = read(text, size)
        except ValueError:
            return
        self.assertTrue(all(point.keys() == {"t", "d"} for point in found))

    def test_refused(self) -> None:
        """What is no point is told, with its place."""
        for text, reason in (
            ('{"t":1}\n{"t":2', "line 2: no JSON"),
            ('{"t":1}\n\n5\n', "line 3: '5' is no point"),
            ('{"t":"1"}', "line 1: .* is no point"),
            ('{"t":1,"d":2,"o":"a/b"}\n{"time":1,"value":5}', "line 2: .* and no 'time'"),
            ('{"t":true}', "line 1: .* is no point"),
            ('[{"t":1},5]', "point 1: '5' is no point"),
            ('[{"t":1}', "point 1: it ends too early"),
            ("5\n6\n", "line 1: '5' is neither"),
            ("a,b,c\n", "line 1: 'a,b,c' is neither"),
            ("time,value\n1,2\n", "line 1: 'time,value' is neither .* of which one is t"),
            ("1,2\n3,4,5\n", "line 2: 3 cells, where the first line has 2"),
            ("1,2\nx,4\n", "line 2: 'x' is no time"),
            ("t,d,d\n", "line 1: two columns are called 'd'"),
            ("t,d, d\n", "line 1: two columns are called 'd'"),
            (",t,d\n0,1,2\n", "line 1: column 1 has no name: give it one, or leave it out"),
            (b"1,2\n1,\xff\n", "line 2: it is not in UTF-8"),
            ('t,d\n1,"2\n3,4\n5,6\n', "line 2: no CSV: .*; is each quote closed"),
            ('t,d\n1,"a" b\n', "line 2: no CSV: .*; is each quote closed"),
        ):
            with self.subTest(text), self.assertRaisesRegex(ValueError, reason):
                read(text)

    def test_long(self) -> None:
        """A line that is longer than any is told with its place."""
        for begin in ("t,d\n1,", '{"t": 1}\n{"t": 2, "d": "'):
            with self.assertRaisesRegex(ValueError, "^line 2: of more than 16777216 bytes"):
                read(begin + "x" * 2**24, size=2**23)


class FilesOfCsv(Case):
    """Tables in files."""

    def test_zones(self) -> None:
        """Times without an offset are local, or of the zone that is said."""
        path = self.folder() / "a.csv"
        path.write_bytes(b"\xef\xbb\xbf2026-07-01T12:00,1\r\n2026-07-01 12:00Z,2\r\n")
        local = datetime(2026, 7, 1, 12).timestamp()
        self.assertEqual([point["t"] for point in read_csv(path)], [local, 1782907200])
        self.assertEqual([point["t"] for point in read_csv(path, "Europe/Berlin")], [1782900000, 1782907200])
        path.write_text(
            "2026-01-01 00:00:00.000000238+00:00,1\n2026-01-01 00:00:00.000000477Z,2\n"
        )  # as pandas writes them
        self.assertEqual([point["t"] for point in read_csv(path)], [1767225600.0000002, 1767225600.0000005])
        with self.assertRaisesRegex(LocalProtocolError, "'nowhere' is no time zone"):
            list(read_csv(path, "nowhere"))

    def test_refused(self) -> None:
        """What is none is told with the file and the line; a file that is not there is no table."""
        path = self.folder() / "a.csv"
        path.write_text("1,2\nyesterday,3\n")
        with self.assertRaisesRegex(LocalProtocolError, "a.csv': line 2: 'yesterday' is no time: expected seconds"):
            list(read_csv(path))
        with self.assertRaises(FileNotFoundError):
            list(read_csv(self.folder() / "b.csv"))
