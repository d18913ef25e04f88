"""Tests of `connectordb.logger.records`."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from connectordb.logger.records import Columns, Ledger, Note, Rejected, Row, StreamRow
from tests.support.case import Case


class RecordsTests(Case):
    """What is in the file comes out as values that nobody changes by mistake."""

    def test_frozen(self) -> None:
        """None of them can be changed, and equal ones are equal."""
        for make in (
            lambda: Note(1, 2, 3, "http://x", "key", "u/d/s", 5, 1.5),
            lambda: StreamRow(1, "s", "{}", {}, declared=True),
            lambda: Ledger("s", 10, 1, 2, 3, 4),
            lambda: Rejected(1, "s", 1.0, None, "why", 2.0),
        ):
            one = make()
            self.assertEqual(one, make())
            for field in dataclasses.fields(one):
                with self.assertRaises(dataclasses.FrozenInstanceError):
                    setattr(one, field.name, None)

    def test_row(self) -> None:
        """A row is what a statement returns, by name."""
        row = Row(*(1, 2.5, "3"))
        self.assertEqual((row.id, row.t, row.d), (1, 2.5, "3"))

    def test_a_new_note_was_never_in_doubt(self) -> None:
        """A note begins without unknown outcomes."""
        self.assertEqual(Note(1, 2, 3, "", "", "", None, None).attempts, 0)


class ColumnsTests(Case):
    """Points in two lists are the points that they were made of, by time."""

    @given(st.lists(st.tuples(st.sampled_from([1.0, 2.0, 3.0]), st.text("ab", max_size=1)), max_size=6))
    def test_sorted(self, points: list[tuple[float, str]]) -> None:
        """They are sorted, those with equal times in the order in which they were given."""
        columns = Columns.of(points)
        self.assertEqual(list(columns), sorted(points, key=lambda point: point[0]))
        self.assertEqual(columns.rises, len({t for t, _ in points}) == len(points) and list(columns) == points)
        self.assertIs(Columns.of(columns), columns)
        self.assertEqual(list(columns[1:]), list(columns)[1:])
