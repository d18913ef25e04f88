"""Text of others."""

from __future__ import annotations

from connectordb.plain_text import cut, plain, plain_lines, pointed_at, width

from .support.case import Case


class PlainText(Case):
    """What it is when it is shown."""

    def test_plain(self) -> None:
        """Text stays what it is, but for what a terminal takes for something else."""
        self.assertEqual(plain('a\x1b[31m\nb "\x9b2J\x85\u202e ö 日本'), 'a·[31m·b "·2J·· ö 日本')

    def test_lines(self) -> None:
        """Lines stay lines."""
        self.assertEqual(plain_lines("a\x1b\nb\x9b"), "a·\nb·")

    def test_cut(self) -> None:
        """What is too long ends with dots, within its length."""
        self.assertEqual([cut("a\nbcd", columns) for columns in (6, 5, 4)], ["a·bcd", "a·bcd", "a·b…"])
        self.assertEqual([cut("温度 5", columns) for columns in (6, 5, 4)], ["温度 5", "温度…", "温…"])
        self.assertEqual(cut("e\u0301" * 5, 4), "e\u0301" * 2 + "e…")

    def test_width(self) -> None:
        """Letters take as many columns as a terminal gives them."""
        self.assertEqual([width(text) for text in ("abc", "äöü", "温度", "e\u0301", "😀")], [3, 3, 4, 1, 2])

    def test_pointed_at(self) -> None:
        """The caret is below its letter, however wide those before it are, in the line that it is of."""
        self.assertEqual(pointed_at("if $ > 1\n| 温度 == x", 17), "    | 温度 == x\n" + " " * 14 + "^")
        shown, caret = pointed_at("a" * 200 + "b" + "c" * 200, 200).split("\n")
        self.assertEqual((len(shown), shown[caret.index("^")]), (74, "b"))
