"""A table of texts, before anybody decides what it looks like."""

from __future__ import annotations

from typing import NamedTuple


class Sheet(NamedTuple):
    """
    A table of texts.

    Attributes:
        title: What it is.
        columns: Their names.
        rows: A text for each column.
        note: A line below it.
        numbers: The positions of columns that are aligned on the right.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numbers: frozenset[int] = frozenset()


def plain(text: str) -> str:
    """Return text in one line, without what makes a terminal do something."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)
