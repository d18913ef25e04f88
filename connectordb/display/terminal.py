"""A table for the library rich. It needs no extra: only rich itself asks for such a table, so it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plain_text import plain_lines
from .sheet import Sheet

if TYPE_CHECKING:
    from rich.console import Group, RenderableType


def to_rich(sheet: Sheet) -> Group:
    """Return the table for rich. Brackets in texts are no markup, and control characters do not reach the terminal."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for position, name in enumerate(sheet.columns):
        table.add_column(Text(name), justify="right" if position in sheet.numbers else "left")
    for row in sheet.rows:
        # a description may have several lines, which are kept
        table.add_row(*(Text(plain_lines(cell)) for cell in row))
    parts: list[RenderableType] = [Text(sheet.title, style="bold")]
    if sheet.rows:
        parts.append(table)
    if sheet.note:
        parts.append(Text(sheet.note))
    return Group(*parts)
