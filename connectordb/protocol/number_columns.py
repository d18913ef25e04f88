"""
Many points off the wire, each a time and a number, as one flat list: time, value, time, value, and so on.

For who wants columns, and no point: from such text all that is no number is cut out at once, and what is left is decoded as one
array of numbers, several times quicker than a point at a time. Text that says anything else is for whoever reads all there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

#: What numbers are written with; what is left of a text without them is the same for each point.
_DIGITS = b"0123456789.-+eE"
_POINT = b'{"t":,"d":},'

#: What stands around the numbers of a point, but for its commas. What separates becomes a space, which is none within a number.
_AROUND = b'{"td'
_SPACES = bytes.maketrans(b":}", b"  ")

#: A value with a fraction or an exponent.
_FRACTION = re.compile(rb'"d":-?\d+[.eE]')


@lru_cache(maxsize=1)
def _decode() -> Callable[[bytes], list[float]] | None:
    try:
        import msgspec
    except ImportError:
        return None
    return msgspec.json.Decoder(list[float]).decode


def is_quick() -> bool:
    """Tell whether `read_flat` reads anything here."""
    return _decode() is not None


def is_flat(text: bytes) -> bool:
    """
    Tell whether *text* is an array of points that have a time and a number and nothing else, some at least.

    Whether its numbers are some, and no digit stands in a key, as in ``"d1"``, is for who reads them to see.
    """
    if not text.startswith(b'[{"t":'):
        return False
    frame = text.translate(None, _DIGITS)
    points = len(frame) // len(_POINT)
    return frame == b"[%b]" % (_POINT * points)[:-1]


def read_flat(text: bytes) -> list[float] | None:
    """Return times and values by turns, if *text*, which is JSON, is an array of points that have both and nothing else."""
    decode = _decode()
    if decode is None or not is_flat(text):
        return None
    try:
        # one number for each place where one belongs, or it fails: a digit within a key is another one
        return decode(text.translate(_SPACES, _AROUND))
    except ValueError:
        return None


def are_whole(text: bytes) -> bool:
    """Tell whether no value in what `read_flat` read is written with a fraction or an exponent."""
    return not any(mark in text for mark in (b".", b"e", b"E")) or _FRACTION.search(text) is None
