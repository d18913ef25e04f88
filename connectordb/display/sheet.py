"""`Sheet`: a table of texts, independent of how it will be shown."""

from __future__ import annotations

from typing import NamedTuple


class Sheet(NamedTuple):
    """
    A table of texts.

    Attributes:
        title: Its title.
        columns: The names of the columns.
        rows: The rows, each with a text for each column.
        note: A line below the table.
        numbers: The positions of columns that are aligned to the right.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numbers: frozenset[int] = frozenset()
