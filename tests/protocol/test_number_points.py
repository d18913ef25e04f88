"""Many points, decoded into columns."""

from __future__ import annotations

import json
import sys
import unittest
from typing import Any
from unittest import mock

from hypothesis import example, given
from hypothesis import strategies as st

from connectordb.protocol import json_text, number_points
from connectordb.protocol.number_points import read_numbers
from connectordb.protocol.points import Batch

try:
    import msgspec  # noqa: F401
except ImportError:  # 32-bit ARM
    raise unittest.SkipTest("msgspec is not installed") from None

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(-1000, 1000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1000, 1000).map(lambda number: round(number, 2)),
)
POINTS = st.lists(st.fixed_dictionaries({"t": NUMBERS, "d": NUMBERS}), min_size=1, max_size=20)


@mock.patch.object(number_points, "_LEAST", 1)
class Numbers(unittest.TestCase):
    """What is decoded into columns says the same as what is decoded into objects."""

    @given(POINTS, st.sampled_from([(",", ":"), (" ,\n", " : ")]))
    @example([{"t": -0.0, "d": -0.0}, {"t": 1e-7, "d": 5e-324}], (",", ":"))
    @example([{"d": 2**53, "t": 1}, {"d": -(2**53), "t": 2**53}], (",", ":"))
    def test_same(self, points: list[dict[str, Any]], separators: tuple[str, str]) -> None:
        """Times, values and their kinds are the same, and so is what is written of them."""
        text = json.dumps(points, separators=separators).encode()
        batch, other = read_numbers(text), Batch.of(json_text.loads(text))
        assert other is not None
        if batch is None:  # integers that are floats to others
            self.assertTrue(any(abs(point["d"]) >= 2**53 for point in points))
            return
        self.assertEqual((batch.times, batch.values, batch.kinds), (other.times, other.values, other.kinds))
        self.assertEqual(list(map(repr, batch.values)), list(map(repr, other.values)))
        self.assertEqual(batch, other)
        for first, last in ((0, len(points)), (len(points) // 2, len(points))):
            written = batch.text(first, last)
            assert written is not None
            if not all(-(2.0**53) < number < 2.0**53 for point in points for number in point.values()):
                continue  # others spell the exponents of large ones otherwise
            rows = json_text.dumps([{"t": float(point["t"]), "d": point["d"]} for point in other[first:last]])
            self.assertEqual(written, rows[1:-1])

    def test_anything_else(self) -> None:
        """What is no array of times and numbers is left to others, whether it is JSON or not."""
        for text in (
            *(b"", b"[]", b"null", b"{}", b"5", b"[1]", b'[{"t":1}]', b'[{"d":1}]', b'[{"t":1,"d":null}]'),
            *(b'[{"t":1,"d":true}]', b'[{"t":"1","d":1}]', b'[{"t":1,"d":"1"}]', b'[{"t":1,"d":[1]}]'),
            *(b'[{"t":1,"d":1,"o":"a/b"}]', b'[{"T":1,"D":1}]', b'[{"t":1,"d":1e400}]', b'[{"t":1,"d":NaN}]'),
            *(b'[{"t":1,"d":1}', b'[{"t":1,"d":1}]]', b'[{"t":01,"d":1}]', b"\xff", b'[{"t":1,"d":9007199254740992}]'),
        ):
            with self.subTest(text):
                self.assertIsNone(read_numbers(text))

    def test_without_the_library(self) -> None:
        """Where it is missing, all is left to others."""
        number_points._codec.cache_clear()
        self.addCleanup(number_points._codec.cache_clear)
        with mock.patch.dict(sys.modules, {"msgspec": None}):
            self.assertIsNone(read_numbers(b'[{"t":1,"d":1}]'))


class Few(unittest.TestCase):
    """Few points are not worth it."""

    def test_short(self) -> None:
        """Short text is left to others, and long text is not."""
        few, many = ([{"t": k, "d": 1} for k in range(number)] for number in (10, 1000))
        self.assertIsNone(read_numbers(json_text.dumps(few)))
        self.assertEqual(read_numbers(json_text.dumps(many)), many)
