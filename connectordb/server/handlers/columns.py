"""Points as columns, for who asks for them: numbers only, and not too many at once."""

from __future__ import annotations

from ...protocol.constants import COLUMNS_LIMIT
from ..storage import Reader, Series
from .stretches import PAGE


def as_columns(reader: Reader, series: Series, first: int, last: int) -> bytes | None:
    """
    Return points as a stream of Arrow; ``None`` if they are better told as JSON.

    That is where one of them is no number, where they are none, or too many to be read in one go, and where Arrow is not installed. What
    is no number shows at the beginning mostly, so that nearly nothing is read in vain.
    """
    from ...frames import number_text, wire_columns  # for who asks

    if not 0 < last - first <= COLUMNS_LIMIT or not wire_columns.is_installed():
        return None
    pieces: list[number_text.Numbers] = []
    at = first
    while at < last:
        text, at = reader.text(series, at, last, PAGE)
        numbers = number_text.read_numbers(b"[%b]" % text)
        if numbers is None:
            return None
        pieces.append(numbers)
    return wire_columns.pack(pieces)
