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
