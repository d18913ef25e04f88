"""Going through stored points without believing any of them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import closing
from typing import Any

from connectordb.runtime.sqlite import connect, connect_to_read
from connectordb.server.storage import Chunks, Judge, Stored, Unreadable, parts_of, span
from connectordb.server.storage.packs import parts

from .trees import StorageCase, plant


class Judging(StorageCase):
    """Whatever is changed in a stored chunk is found, and nothing else is."""

    def setUp(self) -> None:
        super().setUp()
        self.series = self.write(plant)
        self.number = self.series.stream_id * 2
        for start in (0, 700, 1300):
            points: list[dict[str, Any]] = [{"t": float(i + 1), "d": i} for i in range(start, start + 700)]
            self.write(lambda writer, points=points: writer.insert(self.series, points, True))
        self.storage.close()

    def findings(self) -> list[str]:
        """Return what is wrong now."""
        found = []
        with closing(connect_to_read(self.path)) as connection:
            judge = Judge(self.number)
            for chunk in Chunks(connection, "x").of(self.number):
                assert isinstance(chunk, Stored)
                found += [f"{where} {what}" for where, what in judge.faults(chunk)]
        return found

    def rows(self) -> list[tuple[int, int]]:
        """Return the keys of the chunks, and whether each is packed."""
        with closing(connect(self.path)) as connection:
            return [(int(key), int(packed)) for key, packed in connection.execute("SELECT id, packed FROM chunks")]

    def change(self, statement: str, *values: Any) -> None:
        """Change what is stored, behind everybody's back."""
        with closing(connect(self.path)) as connection:
            connection.execute(statement, values)
            self.assertGreater(connection.changes(), 0)

    def test_sound(self) -> None:
        """Of what is sound nothing is said, packed or not."""
        self.assertEqual({packed for _, packed in self.rows()}, {0, 1})
        self.assertEqual(self.findings(), [])

    def test_columns(self) -> None:
        """A column that does not say what the points say is told, with the indices."""
        (first, _), *_, (last, _) = self.rows()
        for key in (first, last):
            for column, value, words in (
                ("series", 4711, "said to be of series 4711"),
                ("number", "number + 1", "points where"),
                ("number", 0, "said to be 0"),
                ("first_time", 0.5, "said to lie from 0.5"),
                ("last_time", 1e9, "to 1000000000.0"),
                ("before", 12345, "and 12345 are said to"),
                ("data", "x'00'", "are damaged"),
                ("data", "'text'", "of the wrong kind"),
            ):
                with self.subTest(key=key, column=column):
                    ((before,),) = connect(self.path).execute(f"SELECT {column} FROM chunks WHERE id = ?", (key,))
                    self.change(f"UPDATE chunks SET {column} = {value} WHERE id = {key}")
                    found = self.findings()
                    self.change(f"UPDATE chunks SET {column} = ? WHERE id = {key}", before)
                    self.assertIn(words, found[0])
                    self.assertRegex(found[0], r"^the points? at ind(ices|ex) \d+")
                    self.assertEqual(self.findings(), [])

    def test_holes(self) -> None:
        """A chunk that is missing is told by the indices that are; one that lies over another as well."""
        key, _ = self.rows()[1]
        start = key & ((1 << 38) - 1)
        self.change("UPDATE chunks SET id = id - 1 WHERE id = ?", key)
        self.assertIn(f"the point at index {start - 1} are there twice", self.findings()[0])
        self.change("DELETE FROM chunks WHERE id = ?", key - 1)
        self.assertRegex(self.findings()[0], rf"^the points at indices {start} to \d+ are missing")

    def test_texts(self) -> None:
        """Text that is no points, has other points or times that go back is told."""
        key, _ = self.rows()[-1]
        ((number, text),) = connect(self.path).execute("SELECT number, data FROM chunks WHERE id = ?", (key,))
        changes: list[tuple[Callable[[bytes], bytes], str]] = [
            (lambda text: text[:-1], "are damaged"),
            (lambda text: text.replace(b'"t"', b'"u"', 1), "no point"),
            (lambda text: text.replace(b'{"t":', b'{"t":true,"d":', 1), "damaged|no time"),
            (lambda text: b"1," + text, "no point"),
            (lambda text: text + b',{"t":9999}', f"{number + 1} points where {number} should be"),
            (
                lambda text: (
                    b",".join([text.partition(b",{")[2], text.partition(b",{")[0]])[0:0]
                    + b'{"t":1},' * (number - 1)
                    + b'{"t":0}'
                ),
                "lie from|go back",
            ),
        ]
        for change, words in changes:
            with self.subTest(words):
                self.change("UPDATE chunks SET data = ? WHERE id = ?", change(text), key)
                self.assertRegex("\n".join(self.findings()), words)

    def test_packs(self) -> None:
        """The table in a pack is held against its text."""
        key, packed = self.rows()[0]
        self.assertTrue(packed)
        ((number, data),) = connect(self.path).execute("SELECT number, data FROM chunks WHERE id = ?", (key,))
        (count,) = struct.unpack_from("<H", data)
        self.assertGreater(count, 1)
        (points, size, last) = struct.unpack_from("<IId", data, 2)
        for entry, words in (
            ((points, size, last + 1), "a part ends at"),
            ((points, size + 1, last), "bytes of text where"),
            ((points + 1, size, last), f"{number + 1} points where"),
        ):
            with self.subTest(words):
                changed = bytearray(data)
                struct.pack_into("<IId", changed, 2, *entry)
                self.change("UPDATE chunks SET data = ? WHERE id = ?", bytes(changed), key)
                self.assertIn(words, self.findings()[0])
        self.assertEqual(sum(each for each, _, _ in parts(data, number)), number)


class Walking(StorageCase):
    """What cannot be read is stepped over."""

    def test_pages(self) -> None:
        """Behind pages that are overwritten the rest is found, and the gap has its indices."""
        series = self.write(plant)
        points = [{"t": float(i + 1), "d": f"{i * 7919:032d}"} for i in range(60_000)]
        self.write(lambda writer: writer.insert(series, points, False))
        self.storage.close()
        with closing(connect_to_read(self.path)) as connection:
            sound = list(Chunks(connection, "x").of(series.stream_id * 2))
        self.assertFalse([chunk for chunk in sound if isinstance(chunk, Unreadable)])
        size = self.path.stat().st_size
        with open(self.path, "r+b") as file:
            # two beside each other: of one that has only the end of a text nothing is seen here, and which has that is the compressor's
            for page in range(20, size // 4096, 97):
                file.seek(page * 4096)
                file.write(b"\xff" * 4096 * 2)
        with closing(connect_to_read(self.path)) as connection:
            found = list(Chunks(connection, "x").of(series.stream_id * 2))
        gaps = [place for place in found if isinstance(place, Unreadable)]
        kept = [chunk for chunk in found if isinstance(chunk, Stored)]
        self.assertTrue(gaps)
        self.assertGreater(len(kept), len(sound) // 4)
        # by place: damage to the end of a chunk's text is seen by whoever reads the text
        self.assertLessEqual({(it.first, it.number) for it in kept}, {(it.first, it.number) for it in sound})
        at = 0
        for place in found:
            self.assertEqual(place.first, at)
            at = (
                len(points)
                if place.__class__ is Unreadable and place.after is None
                else (place.after if isinstance(place, Unreadable) else place.first + place.number)
            )
        self.assertEqual(at, len(points))

    def test_words(self) -> None:
        """A range of indices is told as a person reads it."""
        self.assertEqual(span(4, 5), "the point at index 4")
        self.assertEqual(span(4, 6), "the points at indices 4 to 5")
        self.assertEqual(span(4, None), "the points from index 4 on")
        with self.assertRaises(ValueError):
            parts_of(Stored(0, 2, 1, 1.0, 1.0, 1, 0, None))
