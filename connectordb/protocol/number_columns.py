"""
A quick way to read many points that are numbers, as one flat list: time, value, time, value, and so on.

For callers that want columns and no points. All characters that belong to no number are removed from the text at once, and the
rest is decoded as one array of numbers, several times quicker than point by point. Any other text is left to the general way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

#: The characters of numbers, and what is left of a point without them: the same for each.
_DIGITS = b"0123456789.-+eE"
_POINT = b'{"t":,"d":},'

#: To turn an array of points into one of numbers, these characters are removed, and ``:`` and ``}`` become spaces, so that numbers
#: never run into each other. The commas stay.
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
    """Tell whether `read_flat` works here: it needs msgspec."""
    return _decode() is not None


def is_flat(text: bytes) -> bool:
    """
    Tell whether *text* looks like an array of one or more points that each consist of a time and a number.

    Whether the numbers are valid, and no digit stands in a key, as in ``"d1"``, comes out when they are read.
    """
    if not text.startswith(b'[{"t":'):
        return False
    frame = text.translate(None, _DIGITS)
    points = len(frame) // len(_POINT)
    return frame == b"[%b]" % (_POINT * points)[:-1]


def read_flat(text: bytes) -> list[float] | None:
    """Return times and values in turn if *text*, which is JSON, is an array of points that each consist of a time and a number."""
    decode = _decode()
    if decode is None or not is_flat(text):
        return None
    try:
        # this fails unless exactly one number stands between two commas: a digit in a key would be a second one
        return decode(text.translate(_SPACES, _AROUND))
    except ValueError:
        return None


def are_whole(text: bytes) -> bool:
    """Tell whether no value in what `read_flat` read is written with a fraction or an exponent."""
    return not any(mark in text for mark in (b".", b"e", b"E")) or _FRACTION.search(text) is None
