"""Packs: closed chunks compressed together."""

from __future__ import annotations

import unittest
import zlib
from itertools import pairwise, product
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.storage import packs
from connectordb.server.storage.chunks import OPEN_BYTES, OPEN_POINTS, Chunk, count_until, join, part_of
from connectordb.server.storage.packs import PACK_BYTES, PACK_POINTS, pack, regroup, unpack, unpack_at

from .test_chunks import points_lists, text_of, times_of


class Packing(unittest.TestCase):
    """What is packed is found again, in part or whole."""

    def test_libraries(self) -> None:
        """What one library packed, the other unpacks, whole and in part: a database may move between machines."""
        points = [{"t": float(t), "d": t * 7919 % 1009} for t in range(1000)]
        chunks = [
            Chunk(at, 250, float(at), float(at + 249), text_of(points[at : at + 250]))
            for at in range(0, len(points), 250)
        ]
        for packer, unpacker in product((zlib, packs.codec), repeat=2):
            with self.subTest(packer=packer, unpacker=unpacker):
                with mock.patch.object(packs, "codec", packer):
                    data = pack(chunks)
                with mock.patch.object(packs, "codec", unpacker):
                    self.assertEqual(unpack(data, 1000, 0, 1000), (0, 1000, text_of(points)))
                    self.assertEqual(unpack(data, 1000, 300, 400), (250, 250, chunks[1].text))

    @given(st.lists(points_lists, min_size=1, max_size=5), st.integers(0, 40), st.integers(1, 40), st.floats(-1, 60))
    def test_packing(self, lists: list[list[dict[str, Any]]], first: int, number: int, t: float) -> None:
        """Any points of a pack are found, by index and by time, with few others."""
        chunks: list[Chunk] = []
        points: list[dict[str, Any]] = []
        for shift, part in enumerate(lists):
            part = [{**point, "t": point["t"] + 10 * shift} for point in part]
            times = times_of(part)
            chunks.append(Chunk(len(points), len(part), times[0], times[-1], text_of(part)))
            points.extend(part)
        data = pack(chunks)
        first = min(first, len(points) - 1)
        wanted = points[first : first + number]
        before, found, text = unpack(data, len(points), first, first + number)
        self.assertEqual(text, text_of(points[before : before + found]))
        self.assertEqual(part_of(text, found, first - before, first + number - before), text_of(wanted))
        if found > len(wanted):
            self.assertLess(found, len(wanted) + 24, "no chunk too much at either end")
        self.assertEqual(unpack(data, len(points), 0, len(points)), (0, len(points), text_of(points)))
        if t < points[-1]["t"]:
            before, found, text = unpack_at(data, len(points), t)
            self.assertEqual(before + count_until(text, found, t), sum(point["t"] <= t for point in points))

    @given(st.binary(max_size=60), st.integers(0, 9), st.integers(0, 200), st.integers(0, 255))
    def test_damage(self, junk: bytes, first: int, at: int, changed: int) -> None:
        """A damaged pack is a ValueError, if it is noticed, and nothing else."""
        points = [{"t": index, "d": index} for index in range(20)]
        data = bytearray(pack([Chunk(0, 20, 0.0, 19.0, text_of(points))]))
        data[at % len(data)] = changed
        for broken in (junk, bytes(data), bytes(data[:at])):
            try:
                unpack(broken, 20, first, first + 5)
            except ValueError:
                pass

    @given(st.lists(st.tuples(st.integers(1, OPEN_POINTS), st.integers(1, OPEN_BYTES * 2)), max_size=30))
    def test_regrouping(self, shapes: list[tuple[int, int]]) -> None:
        """Closed chunks are packed as soon as they are enough, in order; what remains is not enough."""
        chunks, first = [], 7
        for number, size in shapes:
            chunks.append(Chunk(first, number, float(first), float(first + number - 1), b"x" * size))
            first += number
        groups, rest = regroup(chunks)
        packed = [join(group) for group in groups]
        everything = [*packed, *rest]
        if chunks:
            self.assertEqual(join(everything), join(chunks))
        for chunk, following in pairwise(everything):
            self.assertEqual(chunk.after, following.first)
            self.assertLessEqual(chunk.last_time, following.first_time)
        for chunk in packed:
            self.assertTrue(chunk.number >= PACK_POINTS or len(chunk.text) >= PACK_BYTES)
            self.assertLess(chunk.number, PACK_POINTS + OPEN_POINTS)
        self.assertLess(sum(chunk.number for chunk in rest), PACK_POINTS)
        self.assertLess(sum(len(chunk.text) for chunk in rest), PACK_BYTES)
