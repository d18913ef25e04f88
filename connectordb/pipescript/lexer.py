"""
From the text of a script to tokens, as the original server reads it: at each place the first kind that fits wins, not the
longest, and where none fits, the script ends.

The rules, with their oddities, are in ``docs/topics/pipescript.rst``, "Tokens".
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, NamedTuple

from ..exceptions import PipeScriptError


class Kind(Enum):
    """The kinds of tokens; the value is what messages call them."""

    NUMBER = "a number"
    STRING = "a text"
    BOOL = "a truth value"
    NAME = "a name"
    SPACED_NAME = "a name with a space behind it"
    NOT = "'not'"
    OPERATOR = "an operator"
    COLON = "':'"
    PIPE = "'|'"
    OPEN = "an opening bracket"
    CLOSE = "a closing bracket"
    COMMA = "','"
    END = "the end"


class Token(NamedTuple):
    """
    A piece of a script.

    Attributes:
        kind: Its kind.
        value: The value of a literal; else the token's text.
        start: Where it begins in the script.
        end: Where it ends.
    """

    kind: Kind
    value: Any
    start: int
    end: int


_SPACE = re.compile(r"[ \t\r\n\v\f]*")
#: In this order. So a name that begins with a keyword is split, as keywords need not end where a word does.
_TOKEN = re.compile(
    r"""(?P<word>and|or|not)
    |(?P<number>[0-9]+(?:\.[0-9]+)?)
    |(?P<operator><=|>=|<|>|==|!=)
    |(?P<bool>true|false)
    |(?P<quote>["'])
    |(?P<pipe>[:|])
    |(?P<arithmetic>[-*/+%^])
    |(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    |(?P<bracket>[\[\](){},])""",
    re.VERBOSE | re.ASCII,
)
#: The characters that a backslash escapes, besides the text's own quote.
_PAIRED = "nrt\\"
#: Replaced one after the other, each in the whole text, as the original server does.
_ESCAPES = (("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("\\\\", "\\"), ('\\"', '"'), ("\\'", "'"))

_BRACKETS = {"[": Kind.OPEN, "(": Kind.OPEN, "{": Kind.OPEN, "]": Kind.CLOSE, ")": Kind.CLOSE, "}": Kind.CLOSE}


def tokens(text: str) -> list[Token]:
    """Return the tokens of a script; the last one is `Kind.END`."""
    found: list[Token] = []
    at = 0
    while True:
        space = _SPACE.match(text, at)
        assert space is not None  # the expression also matches nothing
        at = space.end()
        match = _TOKEN.match(text, at)
        token = None if match is None else _token(text, match)
        if token is None:
            found.append(Token(Kind.END, "", at, at))
            return found
        found.append(token)
        at = token.end


def _token(text: str, match: re.Match[str]) -> Token | None:
    said, start, end = match.group(), match.start(), match.end()
    kind = match.lastgroup
    if kind == "quote":
        return _string(text, said, start)
    if kind == "name":
        spaced = _SPACE.match(text, end)
        assert spaced is not None
        return Token(Kind.SPACED_NAME if spaced.end() > end else Kind.NAME, said, start, end)
    if kind == "number":
        return Token(Kind.NUMBER, float(said), start, end)
    if kind == "bool":
        return Token(Kind.BOOL, said == "true", start, end)
    if kind == "word":
        return Token(Kind.NOT if said == "not" else Kind.OPERATOR, said, start, end)
    if kind == "pipe":
        return Token(Kind.PIPE if said == "|" else Kind.COLON, said, start, end)
    if kind == "bracket":
        return Token(_BRACKETS.get(said, Kind.COMMA), said, start, end)
    return Token(Kind.OPERATOR, said, start, end)


def _string(text: str, quote: str, start: int) -> Token | None:
    close = _closing(text, quote, start + 1)
    if close is None:
        return None
    body = text[start + 1 : close]
    for escape, character in _ESCAPES:
        body = body.replace(escape, character)
    return Token(Kind.STRING, body, start, close + 1)


def _closing(text: str, quote: str, at: int) -> int | None:
    """Return where a text ends: at the first quote that is not escaped, else at the last one of the line."""
    paired = None
    while at < len(text) and text[at] != "\n":
        if text[at] == quote:
            return at
        if text[at] == "\\" and text[at + 1 : at + 2] in (quote, *_PAIRED):
            at += 1
            if text[at] == quote:
                paired = at
        at += 1
    return paired


def quoted(value: str) -> str:
    """
    Return a text as it is written in a script.

    Raises:
        PipeScriptError: It cannot be written: a backslash before an ``n``, ``r`` or ``t`` would be read as something else.
    """
    for quote in ('"', "'") if '"' not in value else ("'", '"'):
        written = f"{quote}{_escaped(value, quote)}{quote}"
        read = tokens(written)
        if len(read) == 2 and read[0].kind is Kind.STRING and read[0].value == value:
            return written
    raise PipeScriptError(
        f"no script can say the text {value!r}: a backslash before n, r or t is read as something else"
    )


def _escaped(value: str, quote: str) -> str:
    parts: list[str] = []
    before = ""
    for character in value:
        if character in "\"'":
            # after a backslash, a quote would be taken for an escaped one
            parts.append(f"\\{character}" if character == quote or before == "\\" else character)
        else:
            parts.append({"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}.get(character, character))
        before = character
    return "".join(parts)
