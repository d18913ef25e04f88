"""Converts cells of CSV to values, and back."""

from __future__ import annotations

from math import isfinite
from typing import Any

from ..protocol import json_text

_WORDS = {"": None, "null": None, "true": True, "false": False}

#: Control characters: not every reader of CSV accepts them, even in quotes, and terminals obey them.
HARD = frozenset(map(chr, range(32))) - {"\n", "\t"}


def value_in(cell: str) -> Any:
    """Return the value of a cell: a number, a boolean, null, a list, an object or text in JSON; otherwise the cell's own text."""
    stripped = cell.strip()
    if stripped in _WORDS:
        return _WORDS[stripped]
    number = number_in(stripped)
    if number is not None:
        return number
    if stripped[0] in '[{"':
        try:
            return json_text.loads(stripped)
        except ValueError:
            return cell
    return cell


def number_in(cell: str) -> float | None:
    """Return the number in a cell, an integer as an integer; ``None`` if there is none that JSON can express."""
    # float() accepts other characters, too: names of infinities, underscores
    if not cell or not cell.isascii() or cell.strip("0123456789+-.eE"):
        return None
    try:
        number: float = float(cell) if cell.strip("0123456789-") else int(cell)
        if not json_text.MIN_INT <= number <= json_text.MAX_INT:
            number = float(cell)
    except ValueError:
        return None
    return number if isfinite(number) else None


def cell_of(value: Any) -> str:
    """Return the cell for a value: text as it is, unless that would be read as something else, and all other values as JSON."""
    if value is None:
        return ""
    if type(value) is str and value_in(value) == value and HARD.isdisjoint(value):
        return value
    return json_text.dumps(value).decode()
