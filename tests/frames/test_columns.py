"""Points as columns."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.frames import Columns, read_pieces

from ..support.case import Case
from .cases import POINTS, needs_frames


def seen(columns: Columns) -> Any:
    """Return columns as plain Python, nulls among numbers being `None` again."""
    values = columns.values if isinstance(columns.values, dict) else {"": columns.values}
    plain = {
        name: [None if isinstance(value, float) and math.isnan(value) else value for value in array.tolist()]
        for name, array in values.items()
    }
    return columns.times.tolist(), plain


@needs_frames
class ColumnTests(Case):
    """What array holds what."""

    def test_kinds(self) -> None:
        """Arrays are as narrow as values allow, and lose nothing."""
        for values, dtype in (
            ([True, False], "bool"),
            ([1, -(2**63)], "int64"),
            ([1, 2**64 - 1], "object"),
            ([1, 2.5], "float64"),
            ([1, None], "float64"),
            ([1.5, 10**400], "object"),
            ([True, None], "object"),
            ([True, 1], "object"),
            (["a", "b"], "object"),
            ([None], "object"),
            ([[1, 2], [3, 4]], "object"),
            ([], "float64"),
        ):
            with self.subTest(values):
                columns = Columns.of([{"t": 1.0, "d": value} for value in values])
                assert not isinstance(columns.values, dict)
                self.assertEqual(str(columns.values.dtype), dtype)
                self.assertEqual(seen(columns)[1][""], values)

    def test_objects(self) -> None:
        """There is an array for each key, unless nobody could tell it from the points' own."""
        for values, keys in (
            ([{"x": 1}, {"y": 2.5, "x": 2}], ["x", "y"]),
            ([{"x": 1}, None], None),
            ([{}], None),
            ([{"d": 1}], None),
            ([{"t": 1, "x": 2}], None),
        ):
            with self.subTest(values):
                columns = Columns.of([{"t": 1.0, "d": value} for value in values])
                self.assertEqual(list(columns.values) if isinstance(columns.values, dict) else None, keys)

    def test_points_without(self) -> None:
        """A point may lack its time or its value."""
        self.assertEqual(seen(Columns.of([{"d": 1}, {"t": 2.0}])), ([0.0, 2.0], {"": [1, None]}))

    @given(st.lists(POINTS, max_size=3))
    def test_read(self, pages: list[list[dict[str, Any]]]) -> None:
        """What is read page by page from text is what all the points together are."""
        texts = [json.dumps(page, separators=(",", ":")).encode() for page in pages]
        read, made = Columns.join(read_pieces(texts)), Columns.of([point for page in pages for point in page])
        self.assertEqual(seen(read), seen(made))
        if not isinstance(read.values, dict) and not isinstance(made.values, dict):
            self.assertEqual(read.values.dtype, made.values.dtype)
