"""Numbers off the wire as one list."""

from __future__ import annotations

import json
import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.protocol.number_columns import are_whole, read_flat

from ..support.case import Case
from ..support.strategies import datapoints, values

try:
    import msgspec  # noqa: F401
except ImportError:
    MSGSPEC = False
else:
    MSGSPEC = True

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)


def text(points: Any) -> bytes:
    """Return JSON text without spaces, as servers write it."""
    return json.dumps(points, separators=(",", ":")).encode()


class NumberColumns(Case):
    """What is read so, and what is left to others."""

    @unittest.skipUnless(MSGSPEC, "msgspec is not installed")
    @given(datapoints(value=NUMBERS))
    def test_numbers(self, points: list[dict[str, Any]]) -> None:
        """Times and values of numbers come by turns, as any reader has them."""
        expected = [number for point in points for number in (point["t"], point["d"])] or None
        self.assertEqual(read_flat(text(points)), expected)

    @given(datapoints() | values)
    def test_anything(self, body: Any) -> None:
        """Of whatever else there is, nothing is read, or what is there."""
        flat = read_flat(text(body))
        if flat is not None:
            self.assertEqual(flat, [number for point in body for number in (point["t"], point["d"])])

    @given(
        datapoints(value=NUMBERS),
        st.lists(
            st.tuples(st.integers(0, 200), st.integers(0, 3), st.text('0123456789.-+eE{}[]":,td\\u ', max_size=4))
        ),
    )
    def test_almost(self, body: Any, changes: list[tuple[int, int, str]]) -> None:
        """Text that was changed here and there, and is JSON still, is what it says, or nothing."""
        changed = text(body).decode()
        for place, length, instead in changes:
            place %= len(changed) + 1
            changed = changed[:place] + instead + changed[place + length :]
        flat = read_flat(changed.encode())
        if flat is not None:
            try:
                points = json.loads(changed)
            except ValueError:
                return
            self.assertEqual(flat, [number for point in points for number in (point["t"], point["d"])])

    def test_what_looks_like_it(self) -> None:
        """Texts, nulls, other keys, another order, and points within points are no numbers."""
        for body in (
            '[{"t":1,"d":"2"}]',
            '[{"t":1,"d":true}]',
            '[{"t":1,"d":null}]',
            '[{"t":1}]',
            '[{"d":1,"t":2}]',
            '[{"t":1,"d":2,"o":"a/b"}]',
            '[{"t":1,"d":{"t":1,"d":2}}]',
            '[{"t":1,"d":[{"t":1,"d":2}]}]',
            '[{"t":1,"d":2},{"t":1,"d":[]}]',
            '[{"t":1,"d":"},{"}]',
            '[{"t": 1, "d": 2}]',
            '[{"t":1,"d1":2}]',
            '[{"t":1,"1d":2}]',
            '[{"t":1,"d":2},{"t.":1,"d":2}]',
            '[{"t":1,"d":2},{"e":1,"d":2}]',
            "[]",
            "[[1,2]]",
            "",
            '[{"t":1,"d":2}',
        ):
            with self.subTest(body):
                self.assertIsNone(read_flat(body.encode()))

    def test_whole(self) -> None:
        """One value with a fraction or an exponent is enough, and a time's is none."""
        for value, whole in (
            ("5", True),
            ("-5", True),
            ("5.0", False),
            ("5e3", False),
            ("-0.5", False),
            ("5E-3", False),
        ):
            with self.subTest(value):
                self.assertEqual(are_whole(b'[{"t":1.5,"d":3},{"t":1.5,"d":%b}]' % value.encode()), whole)
