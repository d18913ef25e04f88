"""What is taken of rows and chunks that may be damaged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectordb.protocol import json_text
from connectordb.server.storage import Device, Salvager, Stored, Stream, User, chunk_of, encode, row_of
from connectordb.server.storage.chunks import Chunk
from connectordb.server.storage.packs import pack

from ...support.case import Case


def points(first: int, number: int) -> list[dict[str, Any]]:
    """Return points that count on."""
    return [{"t": i + 1, "d": i} for i in range(first, first + number)]


def stored(first: int, number: int) -> Stored:
    """Return a chunk of points that count on."""
    text = encode(points(first, number), [float(i + 1) for i in range(first, first + number)])
    return Stored(first, 2, number, float(first + 1), float(first + number), 0, 0, text)


def packed(*chunks: Stored) -> Stored:
    """Return consecutive chunks as a pack."""
    head, tail = chunks[0], chunks[-1]
    data = pack([Chunk(each.first, each.number, each.first_time, each.last_time, each.data) for each in chunks])
    number = sum(each.number for each in chunks)
    return replace(head, number=number, last_time=tail.last_time, packed=1, data=data)


class Taking(Case):
    """Points are taken once, in order, and only where they make sense."""

    def taken(self, *chunks: Stored) -> list[dict[str, Any]]:
        """Return what is taken of chunks, one after the other."""
        salvager = Salvager()
        text = b",".join(filter(None, [salvager.take(chunk) for chunk in chunks]))
        found: list[dict[str, Any]] = json_text.loads(b"[%b]" % text)
        self.assertEqual(salvager.points, len(found))
        return found

    def test_sound(self) -> None:
        """All of what is sound."""
        self.assertEqual(self.taken(stored(0, 3), packed(stored(3, 250), stored(253, 250))), points(0, 503))

    def test_older_copies(self) -> None:
        """What overlaps is taken once."""
        self.assertEqual(self.taken(stored(0, 3), stored(0, 5), stored(2, 4), stored(1, 2)), points(0, 6))

    def test_inside(self) -> None:
        """Around a point that cannot be read, the others."""
        chunk = stored(0, 9)
        damaged = replace(chunk, data=chunk.data.replace(b'"d":4', b'"d":\x00'))
        self.assertEqual(self.taken(damaged, stored(9, 1)), points(0, 4) + points(5, 5))

    def test_times(self) -> None:
        """A time that cannot be does not keep those behind it out."""
        chunk = stored(0, 9)
        damaged = replace(chunk, data=chunk.data.replace(b'"t":5,', b'"t":5e9,').replace(b'"t":7,', b'"t":1,'))
        self.assertEqual([point["d"] for point in self.taken(damaged, stored(9, 1))], [0, 1, 2, 3, 5, 7, 8, 9])

    def test_packs(self) -> None:
        """Of a damaged pack, the parts before the damage."""
        sound = packed(stored(0, 250), stored(250, 250), stored(500, 250))
        for cut in range(60, len(sound.data), 100):
            found = self.taken(
                replace(sound, data=sound.data[:cut] + b"\xff" * (len(sound.data) - cut)), stored(750, 2)
            )
            self.assertEqual(len(found) % 250, 2)
            self.assertEqual(found, points(0, len(found) - 2) + points(750, 2))
        self.assertEqual(self.taken(replace(sound, data=b""), replace(sound, data=None)), [])


class Recognizing(Case):
    """Records are told apart by their columns."""

    USER = [None, "mara", "", "m@x", "", "", "user", 1, "hash"]
    DEVICE = [None, 1, "lamp", "", "", "", "key", 1, 0, "", 1, 0, None]
    STREAM = [None, 1, "light", "", "", "", "{}", "", 0, 1]
    CHUNK = [None, 2, 3, 1, 3.5, 0, 0, b"{}"]

    def test_rows(self) -> None:
        """Each is what it is, and nothing else."""
        kinds: dict[Any, list[Any]] = {User: self.USER, Device: self.DEVICE, Stream: self.STREAM}
        for kind, values in kinds.items():
            row = row_of(kind, 7, values, strict=True)
            self.assertIsInstance(row, kind)
            self.assertEqual(row.id, 7)
            for other in {*kinds} - {kind}:
                self.assertIsNone(row_of(other, 7, values, strict=True))
            self.assertIsNone(chunk_of(7, values))
            self.assertIsNone(row_of(kind, 7, self.CHUNK, strict=True))
            self.assertIsNone(row_of(kind, 7, values[:4]))
            self.assertIsNone(row_of(kind, 0, values))

    def test_mended(self) -> None:
        """What SQLite says is a row is one, with what cannot be replaced."""
        values = [7, "a/b", None, b"\xff", "", "", "user", "yes", "hash"]
        row = row_of(User, 7, values)
        assert row is not None
        self.assertEqual((row.name, row.nickname, row.email, row.public), ("lost-user-7", "", "", False))
        self.assertIsNone(row_of(User, 7, [None, *values[1:]], strict=True))
        self.assertIsNone(row_of(Stream, 7, [7, "no id", *self.STREAM[2:]]), "it belongs to nobody knows what")

    def test_chunks(self) -> None:
        """A chunk's key says of which series it is, and its columns must say the same."""
        key = (2 << 38) + 4
        chunk = chunk_of(key, self.CHUNK, whole=True)
        self.assertEqual(chunk, Stored(4, 2, 3, 1.0, 3.5, 0, 0, b"{}"))
        self.assertEqual(chunk_of(key, self.CHUNK[:7]), Stored(4, 2, 3, 1.0, 3.5, 0, 0, b""))
        self.assertIsNone(chunk_of(key, self.CHUNK[:7], whole=True))
        for at, value in ((0, 1), (1, 3), (2, 0), (2, "x"), (3, None), (5, 1.5), (7, "text")):
            changed = [*self.CHUNK]
            changed[at] = value
            self.assertIsNone(chunk_of(key, changed, whole=True), (at, value))
