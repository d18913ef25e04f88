"""Tokens, with what is odd about them."""

from __future__ import annotations

import re
import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript.lexer import Kind, quoted, tokens


def values(text: str) -> list[object]:
    """Return what the tokens of a script say, the end left out."""
    return [token.value for token in tokens(text)[:-1]]


class Tokens(unittest.TestCase):
    """What a script is cut into."""

    def test_kinds(self) -> None:
        """One of each."""
        found = [token.kind for token in tokens("not 1.5 'x' true $ | a:(b), c >= {")]
        self.assertEqual(
            found,
            [
                *(Kind.NOT, Kind.NUMBER, Kind.STRING, Kind.BOOL, Kind.SPACED_NAME, Kind.PIPE, Kind.NAME, Kind.COLON),
                *(Kind.OPEN, Kind.NAME, Kind.CLOSE, Kind.COMMA, Kind.SPACED_NAME, Kind.OPERATOR, Kind.OPEN, Kind.END),
            ],
        )

    def test_words_are_not_delimited(self) -> None:
        """A name that begins like a keyword is two tokens."""
        self.assertEqual(values("order"), ["or", "der"])
        self.assertEqual(values("5and 3"), [5.0, "and", 3.0])
        self.assertEqual(values("nottrue"), ["not", True])
        self.assertEqual(values("1e5"), [1.0, "e5"])

    def test_what_means_nothing_ends_the_script(self) -> None:
        """And serves as a comment."""
        for text, said in (
            ("sum # x", ["sum"]),
            ("$ = 5", ["$"]),
            ("5.", [5.0]),
            (".5", []),
            ("sum 'abc", ["sum"]),
            ("", []),
        ):
            with self.subTest(text):
                self.assertEqual(values(text), said)

    def test_texts(self) -> None:
        """Escapes are replaced one kind after the other; where no quote is left, one behind a backslash ends the text."""
        for text, said in (
            (r"'\\n'", "\\\n"),
            (r"'\d+'", r"\d+"),
            (r'"a\"b"', 'a"b'),
            (r"'\''", "'"),
            (r"'\'", "\\"),
            ("'a\"b'", 'a"b'),
            (r'"\t\r\n"', "\t\r\n"),
        ):
            with self.subTest(text):
                self.assertEqual(values(text), [said])
        self.assertEqual(values("'a\nb'"), [])

    def test_long_texts_take_no_longer_than_others(self) -> None:
        """However many backslashes there are."""
        self.assertEqual(values("'" + r"\n" * 100_000), [])
        self.assertEqual(values("'" * 100_001), [""] * 50_000)

    @given(st.text(alphabet="\\\"'nrta \n\t", max_size=12))
    def test_quoting(self, value: str) -> None:
        """A text is said so that it is read back, or refused, if no script can say it."""
        try:
            written = quoted(value)
        except PipeScriptError:
            self.assertRegex(value, re.compile(r"\\[nrt]"))
        else:
            self.assertEqual(values(written), [value])
