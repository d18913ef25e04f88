"""What occurs among values, and which arrays hold them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.frames.kinds import Kinds, Shape, keys_of

from ..support.case import Case
from .cases import POINTS, needs_frames


@needs_frames
class Pages(Case):
    """Values seen page by page."""

    @given(POINTS, st.integers(1, 5))
    def test_the_same(self, points: list[dict[str, Any]], size: int) -> None:
        """However they are cut, each page has the arrays that all together have, in the same columns."""
        values = [point["d"] for point in points]
        whole, paged = Shape(), Shape()
        whole.see(values)
        pages = [values[at : at + size] for at in range(0, len(values), size)]
        for page in pages:
            paged.see(page)
        expected = whole.arrays(values)
        self.assertEqual(list(expected), keys_of(values) or ["d"])
        found = [paged.arrays(page) for page in pages]
        for name, array in expected.items():
            self.assertEqual([str(page[name].tolist()) for page in found], _cut(array.tolist(), size))
            self.assertEqual({page[name].dtype for page in found} or {array.dtype}, {array.dtype})

    def test_arrays_of_numbers(self) -> None:
        """They are seen without an object for each."""
        import numpy

        for arrays, kind in (
            ([numpy.array([1, 2])], "int64"),
            ([numpy.array([1, 2]), numpy.array([0.5])], "float64"),
            ([numpy.array([1, 2]), ["x"]], "object"),
            ([numpy.empty(0), [True]], "bool"),
        ):
            shape = Shape()
            for values in arrays:
                shape.see(values)  # type: ignore[arg-type]
            self.assertEqual({str(shape.arrays(values)["d"].dtype) for values in arrays}, {kind})  # type: ignore[arg-type]

    def test_large(self) -> None:
        """Integers beyond 64 bits, and beyond all floats, stay what they are."""
        for values, kind in (([2**63 - 1, -(2**63)], "int64"), ([2**63], "object"), ([2**63, 0.5], "float64")):
            kinds = Kinds()
            kinds.see(values)
            self.assertEqual(kinds.array(values).dtype, kind)
        kinds.see([10**400])
        self.assertEqual(kinds.array([10**400]).tolist(), [10**400])


def _cut(values: list[Any], size: int) -> list[str]:
    return [str(values[at : at + size]) for at in range(0, len(values), size)]
