"""Tables of text."""

from __future__ import annotations

from connectordb.display import Sheet

from ..support.case import Case


class Sheets(Case):
    """What a table may lack."""

    def test_defaults(self) -> None:
        """A note and columns of numbers are for who has them."""
        sheet = Sheet("title", ("a",), (("1",),))
        self.assertEqual((sheet.note, sheet.numbers), ("", frozenset()))
