"""Chunks: text, cutting, joining."""

from __future__ import annotations

import json
import unittest
from typing import Any
from unittest import mock

from hypothesis import example, given
from hypothesis import strategies as st

from connectordb.protocol import json_text
from connectordb.protocol.json_text import as_stored
from connectordb.server.storage.chunks import OPEN_BYTES, OPEN_POINTS, count_until, cut, encode, part_of

numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
# keys and texts that look like what stands between points
texts = st.text(max_size=8) | st.sampled_from(['},{"t":', '{"t":1},{"t":2}', "t", "d", "\\", '"'])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts, inner, max_size=3)
        | st.lists(st.just({"t": 5}), max_size=3)
    ),
    max_leaves=8,
)
points_lists = st.lists(
    st.fixed_dictionaries({"t": st.integers(0, 9), "d": values}, optional={"o": st.sampled_from(["a/b", "c/d"])}),
    min_size=1,
    max_size=12,
).map(lambda points: sorted(points, key=lambda point: point["t"]))


def times_of(points: list[dict[str, Any]]) -> list[float]:
    """Return the times of points."""
    return [float(point["t"]) for point in points]


def text_of(points: list[dict[str, Any]]) -> bytes:
    """Return points as the text of a chunk."""
    return encode(points, times_of(points))


def decoded(text: bytes) -> list[dict[str, Any]]:
    """Return what the text of a chunk says."""
    found = json.loads(b"[%b]" % text)
    assert isinstance(found, list)
    return found


class Text(unittest.TestCase):
    """The text of a chunk is what goes over the wire."""

    def shown(self, value: Any) -> str:
        """Return how a value is written."""
        return text_of([{"t": 1, "d": value}]).decode().removeprefix('{"t":1,"d":').removesuffix("}")

    def test_numbers(self) -> None:
        """Integral numbers have no point up to 1e21, and what a 64-bit float cannot hold is rounded."""
        for value, text in (
            (5, "5"),
            (5.0, "5"),
            (-3.0, "-3"),
            (0.0, "0"),
            (-0.0, "-0.0"),
            (2.5, "2.5"),
            (1e20, "100000000000000000000"),
            (2**53, "9007199254740992"),
            (2**53 + 1, "9007199254740992"),
            (-(2**53) - 1, "-9007199254740992"),
            (2**64 - 1, "18446744073709551616"),
            ([1.0, {"a": 2**53 + 1}], '[1,{"a":9007199254740992}]'),
            (True, "true"),
            ({"a": False}, '{"a":false}'),
        ):
            with self.subTest(value=value):
                self.assertEqual(self.shown(value), text)
        self.assertIn(self.shown(1e21), ("1e21", "1e+21"))

    def test_keys(self) -> None:
        """``d`` is left out where it is null, ``o`` where there is none, anything else always."""
        text = encode([{"t": 9, "d": None, "o": ""}, {"t": 9, "x": 1, "d": 0, "o": "a/b"}, {"t": 9}], [1.0, 2.5, 3.0])
        self.assertEqual(text, b'{"t":1},{"t":2.5,"d":0,"o":"a/b"},{"t":3}')

    @given(points_lists)
    def test_round_trip(self, points: list[dict[str, Any]]) -> None:
        """Text reads back as the points a 0.3 server would keep."""
        found = decoded(text_of(points))
        expected = [{key: value for key, value in point.items() if value is not None} for point in points]
        self.assertEqual(as_stored(found), as_stored(expected))

    @given(points_lists)
    def test_without_orjson(self, points: list[dict[str, Any]]) -> None:
        """The standard library writes the same points."""
        with mock.patch.object(json_text, "_orjson", lambda: None):
            without = text_of(points)
        self.assertEqual(decoded(without), decoded(text_of(points)))

    @given(
        st.lists(
            st.tuples(numbers, numbers | st.floats(-3, 3) | st.just(-0.0) | st.booleans(), st.booleans()), min_size=1
        ),
        st.sampled_from([0.0, 0.5]),
    )
    @example([(1, -0.0, False), (2, 1, False)], 0.0)
    @example([(1, 1e16, False), (2, 2**60, True)], 0.0)
    def test_many_as_one(self, given: list[tuple[float, float, bool]], moved: float) -> None:
        """How a point is written does not depend on those beside it, on the order of its keys, or on its time having moved."""
        points = [{"d": d, "t": t} if turned else {"t": t, "d": d} for t, d, turned in sorted(given)]
        times = [time + moved for time in times_of(points)]
        # with a text in it a point is written the long way
        alone = [
            encode([{**point, "o": "x"}], [t])[: -len(',"o":"x"}')] + b"}"
            for point, t in zip(points, times, strict=True)
        ]
        self.assertEqual(encode(points, times), b",".join(alone))


class Parts(unittest.TestCase):
    """A part of a chunk is cut out of its text, whatever the values look like."""

    @given(points_lists, st.integers(-2, 14), st.integers(-2, 14))
    @example([{"t": 1, "d": [{"t": 1}, {"t": 2}]}, {"t": 2}], 1, 2)
    @example([{"t": 1, "d": '},{"t":'}, {"t": 2}], 0, 1)
    def test_part(self, points: list[dict[str, Any]], first: int, last: int) -> None:
        """A part is the slice of the points."""
        last = max(last, 0)
        self.assertEqual(part_of(text_of(points), len(points), first, last), text_of(points[max(first, 0) : last]))

    @given(points_lists, st.floats(-1, 10))
    def test_count(self, points: list[dict[str, Any]], t: float) -> None:
        """Points are counted up to a time, those at it included."""
        expected = sum(point["t"] <= t for point in points)
        self.assertEqual(count_until(text_of(points), len(points), t), expected)


class Cutting(unittest.TestCase):
    """New points are cut into pieces of bounded size."""

    @given(
        st.lists(st.sampled_from([1, 50, 5000, OPEN_BYTES, 2 * OPEN_BYTES]), max_size=40),
        st.integers(0, OPEN_POINTS),
        st.integers(0, OPEN_BYTES),
        st.integers(1, 100),
    )
    def test_bounds(self, sizes: list[int], room: int, space: int, copies: int) -> None:
        """All points are there in order; a piece is too large only if it is one point; only the first may be empty."""
        points = [
            {"t": index, "d": "x" * size} for index, size in enumerate(sizes * (copies if sum(sizes) < 500 else 1))
        ]
        pieces = list(cut(points, times_of(points), room, space))
        self.assertEqual(b",".join(text for number, text in pieces if number), text_of(points) if points else b"")
        self.assertEqual(sum(number for number, _ in pieces), len(points))
        for index, (number, text) in enumerate(pieces):
            self.assertLessEqual(number, OPEN_POINTS if index else room)
            if index:
                self.assertGreater(number, 0)
            if number > 1 or not index:
                # a whole empty chunk takes a point of any size
                self.assertTrue(len(text) <= (OPEN_BYTES if index else space) or (space == OPEN_BYTES and number == 1))

    def test_numbers(self) -> None:
        """Small points fill chunks."""
        points = [{"t": index, "d": 1} for index in range(600)]
        self.assertEqual([number for number, _ in cut(points, times_of(points), 30, OPEN_BYTES)], [30, 250, 250, 70])
