"""Points as columns of Arrow, for clients that ask for them: only numbers, and not too many at once."""

from __future__ import annotations

from ...protocol.constants import COLUMNS_LIMIT
from ..storage import Reader, Series
from .stretches import PAGE


def as_columns(reader: Reader, series: Series, first: int, last: int) -> bytes | None:
    """
    Return points as an Arrow stream; ``None`` if they have to be answered as JSON.

    That is so if one of them is no number, if there are none, if they are too many to be read in one go, or if Arrow is not
    installed. A value that is no number mostly comes early, so little is read in vain.
    """
    from ...frames import number_text, wire_columns  # imported here, as few clients ask for it

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
