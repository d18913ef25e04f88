"""Numbers from JSON text into arrays, by the reader of Arrow and by msgspec."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.frames.number_text import Numbers, read_numbers

from ..support.case import Case
from .cases import POINTS, needs_frames, text


def both_ways(body: bytes) -> Iterator[Numbers | None]:
    """Yield what each of the two readers makes of a text, however short it is."""
    import pyarrow  # noqa: F401 - only who has loaded it reads by it

    for much in (0, len(body) + 1):
        with mock.patch("connectordb.frames.number_text._MUCH", much):
            yield read_numbers(body)


@needs_frames
class NumberText(Case):
    """What is read, and what is left to others."""

    @given(POINTS)
    def test_numbers_or_nothing(self, points: list[dict[str, Any]]) -> None:
        """Numbers are what they were, to the last digit; other points are left, and whole numbers that no 64-bit float holds."""
        values = [point["d"] for point in points]
        for found in both_ways(text(points)):
            if found is not None:
                self.assertEqual(found.times.tolist(), [point["t"] for point in points])
                self.assertEqual(found.values.tolist(), values)
                self.assertEqual(str(found.values.dtype) == "int64", all(type(value) is int for value in values))
            elif points and all(type(value) in (int, float) for value in values):
                self.assertTrue(any(abs(value) >= 2**53 for value in values))

    def test_many(self) -> None:
        """A page of some size is read by Arrow, and is the same as by msgspec."""
        points = [{"t": 1.5e9 + second / 7, "d": second / 3} for second in range(5000)]
        whole = [{"t": second, "d": -second} for second in range(5000)]
        for page in (points, whole, points[:1]):
            one, other = both_ways(text(page))
            assert one is not None
            assert other is not None
            for column, same in zip(one, other, strict=True):
                self.assertEqual((column.tolist(), column.dtype), (same.tolist(), same.dtype))

    @given(
        POINTS,
        st.lists(
            st.tuples(st.integers(0, 200), st.integers(0, 3), st.text('0123456789.-+eE{}[]":,td\\u \n', max_size=4))
        ),
    )
    def test_almost(self, points: list[dict[str, Any]], changes: list[tuple[int, int, str]]) -> None:
        """Text that was changed here and there, and is JSON still, is what it says, or nothing."""
        changed = text(points).decode()
        for place, length, instead in changes:
            place %= len(changed) + 1
            changed = changed[:place] + instead + changed[place + length :]
        for found in both_ways(changed.encode()):
            if found is not None:
                try:
                    said = json.loads(changed)
                except ValueError:
                    continue  # such as a number that begins with a zero
                self.assertEqual(found.times.tolist(), [point["t"] for point in said])
                self.assertEqual(found.values.tolist(), [point["d"] for point in said])

    def test_what_looks_like_it(self) -> None:
        """Digits where none belong, numbers that are none or too large, and what is cut are not read."""
        for body in (
            '[{"t":1,"d1":2}]',
            '[{"t":1,"1d":2}]',
            '[{"t1":1,"d":2}]',
            '[{"t":1,"d":2},{"t.":1,"d":2}]',
            '[{"t":1,"d":2}1,{"t":1,"d":2}]',
            '[{"t":1,"d":2},1{"t":1,"d":2}]',
            '1[{"t":1,"d":2}]',
            '[{"t":1,"d":2}]1',
            '[{"t":,"d":2}]',
            '[{"t":1,"d":}]',
            '[{"t":1,"d":-}]',
            '[{"t":1,"d":1-2}]',
            '[{"t":1,"d":1e999}]',
            '[{"t":1,"d":"2"}]',
            '[{"t":1,"d":null}]',
            '[{"t":1,"d":2}',
            "[]",
            "",
        ):
            for number, found in enumerate(both_ways(body.encode())):
                with self.subTest(body, reader=("Arrow", "msgspec")[number]):
                    self.assertIsNone(found)
