"""Tables of text."""

from __future__ import annotations

from connectordb.display import Sheet, plain

from ..support.case import Case


class Sheets(Case):
    """What a table may lack."""

    def test_defaults(self) -> None:
        """A note and columns of numbers are for who has them."""
        sheet = Sheet("title", ("a",), (("1",),))
        self.assertEqual((sheet.note, sheet.numbers), ("", frozenset()))

    def test_plain(self) -> None:
        """Text stays what it is, but for what a terminal takes for something else."""
        self.assertEqual(plain('a\x1b[31m\nb "\x9b2J\x85\u202e ö 日本'), 'a·[31m·b "·2J·· ö 日本')
