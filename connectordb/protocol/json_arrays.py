"""The elements of a JSON array, one after the other: of an array that may be larger than memory. Pure."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from .json_text import decoder, loads
from .number_columns import is_flat

_SPACE = re.compile(r"[ \t\r\n]*")

#: What an element ends with that cannot be the beginning of a longer one, as 1 is of 12.
_ENDS = '}]"'

#: What stands between two points; it may stand in a value as well.
_BETWEEN = b'},{"t":'

#: Bytes that are read on for it.
_MOST = 1 << 20


def elements(blocks: Iterable[bytes], longest: int) -> Iterator[tuple[Any, int]]:
    """
    Go through the elements of the array whose text, in UTF-8, *blocks* make up.

    Args:
        blocks: Pieces of the text, cut anywhere.
        longest: Characters that an element may have; memory is taken for some of that size.

    Yields:
        Each element, and how many characters its text has.

    Raises:
        ValueError: It is no JSON, no array, or an element of it is longer than that.
    """
    text = _Text(blocks, longest)
    text.expect("[")
    if text.peek() == "]":
        text.expect("]")
    else:
        yield text.element()
        while text.peek() == ",":
            text.expect(",")
            yield text.element()
        text.expect("]")
    if text.peek():
        raise ValueError("there is something behind the end of the array")


def arrays(blocks: Iterable[bytes], longest: int, size: int) -> Iterator[list[Any] | bytes]:
    """
    Go likewise through an array of points, as many at a time as are there, which is many times quicker.

    It is cut between two points, and read up to there: what was cut anywhere else, within a text or a list, is no JSON. So where that
    fails, or nothing to cut at is found, what is left is read element by element.

    Args:
        blocks: As for `elements`.
        longest: As for `elements`.
        size: How many elements there are at most in a list of what is read element by element.

    Yields:
        Lists of elements, and arrays as text, of which `is_flat` is true.

    Raises:
        ValueError: As `elements`.
    """
    coming, held = iter(blocks), b""
    for block in coming:
        held += block
        end = held.rfind(_BETWEEN) + 1
        if end:
            found = _array(held[:end] + b"]")
            if found is None:
                break
            held = b"[" + held[end + 1 :]
            yield found
        elif len(held) > _MOST:
            break
    else:
        found = _array(held)
        if found is not None:
            yield found
            return
    left = (element for element, _ in elements(chain([held], coming), longest))
    while some := list(islice(left, size)):
        yield some


def _array(text: bytes) -> list[Any] | bytes | None:
    if is_flat(text):
        return text
    try:
        found = loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


class _Text:
    """The text from where it was read to on, as much of it as was needed so far."""

    def __init__(self, blocks: Iterable[bytes], longest: int) -> None:
        self._blocks = iter(blocks)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._longest = longest
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """Return the next character that is no space, or ``""`` at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._fill()

    def expect(self, character: str) -> None:
        """Go past the next character, which is this one."""
        found = self.peek()
        if found != character:
            raise ValueError(f"{character!r} was expected, not {found!r}" if found else "it ends before its end")
        self._at += 1

    def element(self) -> tuple[Any, int]:
        """Go past the next value; return it, and the length of its text."""
        self.peek()
        while True:
            try:
                value, end = decoder.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise ValueError("nested too deeply") from error
            except ValueError:
                # it is wrong, or goes on in what was not read yet
                if self._ended:
                    raise
            else:
                if self._ended or self._text[end - 1] in _ENDS:
                    before, self._at = self._at, end
                    return value, end - before
            if len(self._text) - self._at > self._longest:
                raise ValueError(f"an element of more than {self._longest} characters, or what is no JSON")
            self._fill()

    def _fill(self) -> None:
        """Read on: as much again as is there, so that a long element is not tried too often."""
        parts = [self._text[self._at :]]
        wanted = len(parts[0])
        got = 0
        while not self._ended and (got <= wanted or not got):
            block = next(self._blocks, None)
            self._ended = block is None
            part = self._decoder.decode(block or b"", final=self._ended)
            got += len(part)
            parts.append(part)
        self._text = "".join(parts)
        self._at = 0
