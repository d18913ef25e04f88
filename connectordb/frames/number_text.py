"""
Reads points whose values are all numbers from JSON text into arrays, without a Python object for each point.

If a program has loaded Arrow, Arrow's CSV reader reads long texts: the characters around the numbers are first replaced by commas and
line ends. It is as exact as a JSON reader, and lets other threads run, such as the one that receives the next page. Otherwise msgspec
reads them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from ..protocol.number_columns import are_whole, is_flat, read_flat
from ..protocol.points import EXACT
from .extras import library

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: The bytes of a text from which on Arrow's reader is faster; for a shorter one, starting it costs more.
_MUCH = 64 * 1024

#: Each point becomes a line, ``, 1500000000, 19.88``. The bracket at the beginning becomes a comma, as there is one before each other
#: point; colons become spaces, so that a digit within a key, as in ``"d1"``, is not joined to the number after it.
_LINES = bytes.maketrans(b"[:}", b", \n")
_AROUND = b'{"td]'


class Numbers(NamedTuple):
    """
    Points whose values are all numbers.

    Attributes:
        times: Seconds since 1970.
        values: ``int64`` if none was written with a fraction or an exponent, otherwise ``float64``.
    """

    times: NDArray[np.float64]
    values: NDArray[Any]


def read_numbers(text: bytes) -> Numbers | None:
    """Return the points of a JSON array if each has a time, a number, and nothing else; otherwise ``None``."""
    both = _by_arrow(text) if len(text) >= _MUCH and "pyarrow" in sys.modules else _by_msgspec(text)
    if both is None or not are_whole(text):
        return both
    numpy = library("numpy", "an array")
    if numpy.abs(both.values).max() < EXACT:
        return both._replace(values=both.values.astype(numpy.int64))
    return None


def _by_msgspec(text: bytes) -> Numbers | None:
    flat = read_flat(text)
    if flat is None:
        return None
    numpy = library("numpy", "an array")
    both = numpy.fromiter(flat, numpy.float64, len(flat))
    return Numbers(both[::2].copy(), both[1::2].copy())


def _by_arrow(text: bytes) -> Numbers | None:
    if not is_flat(text):
        return None
    arrow, csv = library("pyarrow", "an array"), library("pyarrow.csv", "an array")
    numpy = library("numpy", "an array")
    lines = text.translate(_LINES, _AROUND)
    kinds = {"": arrow.null(), "t": arrow.float64(), "d": arrow.float64()}
    try:
        table = csv.read_csv(
            arrow.py_buffer(lines),
            csv.ReadOptions(use_threads=False, block_size=len(lines) + 1, column_names=list(kinds)),
            csv.ParseOptions(quote_char=False),
            csv.ConvertOptions(column_types=kinds, null_values=[""]),
        )
    except arrow.ArrowInvalid:
        return None
    _, *columns = table.columns
    both = Numbers(*(column.to_numpy() for column in columns))
    return both if all(numpy.isfinite(column).all() for column in both) else None
