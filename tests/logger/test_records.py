"""Tests of `connectordb.logger.records`."""

from __future__ import annotations

import dataclasses

from connectordb.logger.records import Ledger, Note, Rejected, Row, StreamRow
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
