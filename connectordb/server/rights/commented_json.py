"""Reading JSON with JavaScript's comments, keeping the line of each value for error messages. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

#: The most levels of lists and objects. More are surely a mistake, and Python's stack is limited.
_MAX_DEPTH = 50

_TEXT_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|(?P<open>/\*)', re.DOTALL)
_BLANK = re.compile(r"[ \t\r\n]*")
_NOT_LINE_END = re.compile(r"[^\n]")


class Node(NamedTuple):
    """
    A value and its line.

    Attributes:
        value: The value. The members of lists and objects are again nodes.
        line: The line, beginning with 1. For a member of an object, that of its key.
    """

    value: Any
    line: int


class Malformed(ValueError):
    """
    The text is no JSON.

    Attributes:
        why: What is wrong.
        line: The line where it is.
    """

    def __init__(self, why: str, line: int) -> None:
        super().__init__(f"line {line}: {why}")
        self.why = why
        self.line = line


def loads(text: str) -> Node:
    """
    Return the value of a text: as `json.loads`, but with comments, and refusing repeated keys and ``NaN``.

    Raises:
        Malformed: The text is no JSON, or a key occurs twice.
    """
    reader = _Reader(_without_comments(text))
    node, end = reader.value(reader.blank(0), _MAX_DEPTH)
    end = reader.blank(end)
    if end < len(text):
        raise reader.malformed("something follows where the text should end", end)
    return node


def _without_comments(text: str) -> str:
    """Return *text* with comments replaced by spaces, so that everything else stays where it is."""

    def blanked(match: re.Match[str]) -> str:
        if match["open"]:
            raise Malformed("a comment begins that does not end: '*/' is missing", _line(text, match.start()))
        found = match[0]
        return found if found[0] == '"' else _NOT_LINE_END.sub(" ", found)

    return _TEXT_OR_COMMENT.sub(blanked, text)


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


class _Reader:
    """Reads a text without comments. Each method takes a position, and returns the one it has come to."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._scalar = json.JSONDecoder(parse_constant=_refuse_constant)
        # lines are counted along the way, as counting from the beginning for each value would take quadratic time
        self._counted, self._line = 0, 1

    def malformed(self, why: str, at: int) -> Malformed:
        return Malformed(why, _line(self._text, at))

    def blank(self, at: int) -> int:
        match = _BLANK.match(self._text, at)
        assert match is not None  # the expression also matches nothing
        return match.end()

    def value(self, at: int, depth: int) -> tuple[Node, int]:
        line = self._line_of(at)
        first = self._text[at : at + 1]
        if first in ("{", "["):
            if not depth:
                raise self.malformed("lists and objects are nested too deeply", at)
            value, at = (self._object if first == "{" else self._list)(at + 1, depth - 1)
            return Node(value, line), at
        try:
            value, at = self._scalar.raw_decode(self._text, at)
        except (ValueError, RecursionError) as error:
            found = f"{self._text[at : at + 20].split()[0]!r} is no value" if first.strip() else "a value is missing"
            raise self.malformed(found, at) from error
        return Node(value, line), at

    def _line_of(self, at: int) -> int:
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at
        return self._line

    def _list(self, at: int, depth: int) -> tuple[list[Node], int]:
        items: list[Node] = []
        at = self.blank(at)
        if self._text[at : at + 1] == "]":
            return items, at + 1
        while True:
            item, at = self.value(self.blank(at), depth)
            items.append(item)
            at, more = self._next(at, "]")
            if not more:
                return items, at

    def _object(self, at: int, depth: int) -> tuple[dict[str, Node], int]:
        members: dict[str, Node] = {}
        at = self.blank(at)
        if self._text[at : at + 1] == "}":
            return members, at + 1
        while True:
            at = self.blank(at)
            line = self._line_of(at)
            key, at = self._key(at)
            if key in members:
                raise Malformed(f"{key!r} is there already, in line {members[key].line}", line)
            at = self.blank(at)
            if self._text[at : at + 1] != ":":
                raise self.malformed(f"a ':' is missing behind {key!r}", at)
            node, at = self.value(self.blank(at + 1), depth)
            members[key] = Node(node.value, line)
            at, more = self._next(at, "}")
            if not more:
                return members, at

    def _key(self, at: int) -> tuple[str, int]:
        if self._text[at : at + 1] != '"':
            raise self.malformed("a key in quotes was expected (and no comma before a '}')", at)
        try:
            key, at = self._scalar.raw_decode(self._text, at)
            return str(key), at
        except ValueError as error:
            raise self.malformed("a text begins that does not end, or has a line end in it", at) from error

    def _next(self, at: int, end: str) -> tuple[int, bool]:
        """Go past a comma, or past the end of a list or an object; return whether there is another member."""
        at = self.blank(at)
        found = self._text[at : at + 1]
        if found not in (",", end) or not found:
            raise self.malformed(f"a ',' or '{end}' was expected", at)
        return at + 1, found == ","
