"""Tests of `connectordb.logger.file.ids`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectordb.logger.file.ids import MASK, base, number_of, span, stream_of
from tests.support.case import Case


class IdsTests(Case):
    """An id is a stream and a number."""

    @given(st.integers(1, 2**20), st.integers(1, MASK))
    def test_parts(self, stream: int, number: int) -> None:
        """Both come out of it again, it lies in the span of its stream, and in that of no other."""
        id = base(stream) + number
        self.assertEqual((stream_of(id), number_of(id)), (stream, number))
        for other in (stream - 1, stream, stream + 1):
            first, last = span(other)
            self.assertEqual(first <= id <= last, other == stream)
