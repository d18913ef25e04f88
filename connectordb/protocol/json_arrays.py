"""Reading a JSON array element by element as its text comes in, so that it may be larger than memory. Pure."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from .json_text import decoder, loads
from .number_columns import is_flat

_SPACE = re.compile(r"[ \t\r\n]*")

#: An element that ends with one of these is complete; a number at the end of what was read so far is not: 1 may become 12.
_ENDS = '}]"'

#: What stands between two points. It may also stand inside a value.
_BETWEEN = b'},{"t":'

#: How many bytes are read in search of it.
_SEARCHED = 1 << 20


def elements(blocks: Iterable[bytes], longest: int) -> Iterator[tuple[Any, int]]:
    """
    Go through the elements of a JSON array.

    Args:
        blocks: The array's text in UTF-8, in pieces that are cut anywhere.
        longest: The most characters that an element may have. Memory is needed for a few elements of that size.

    Yields:
        Each element, and how many characters its text has.

    Raises:
        ValueError: The text is no JSON, no array, or an element is longer than *longest*.
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
        raise ValueError("there is something after the end of the array")


def arrays(blocks: Iterable[bytes], longest: int, size: int) -> Iterator[list[Any] | bytes]:
    """
    Go through an array of points, many at a time, which is many times quicker than `elements`.

    What has come in is cut at the last place that looks like the border between two points, and decoded up to there. If that place
    was inside a text or a list instead, what was cut off is no JSON. So if decoding fails, or no such place is found, the rest is
    read element by element.

    Args:
        blocks: As for `elements`.
        longest: As for `elements`.
        size: The most elements of a list that was read element by element.

    Yields:
        Lists of elements; and arrays for which `is_flat` is true, as text.

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
        elif len(held) > _SEARCHED:
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
    """A text that comes in pieces: holds the part that was needed so far and not read yet."""

    def __init__(self, blocks: Iterable[bytes], longest: int) -> None:
        self._blocks = iter(blocks)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._longest = longest
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """Skip spaces; return the next character without going past it, or ``""`` at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._fill()

    def expect(self, character: str) -> None:
        """Go past the next character, which has to be this one."""
        found = self.peek()
        if found != character:
            raise ValueError(f"{character!r} was expected, not {found!r}" if found else "it ends too early")
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
                # it is no JSON, or the rest of it was not read yet
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
        """Read on. What is held doubles each time, so that a long element is not decoded in vain too often."""
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
