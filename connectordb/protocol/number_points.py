"""
A quick way to decode an insert of many points that are numbers: straight into columns by msgspec, where that is installed.

Any other text, and all text where msgspec is missing, is left to the general way. What a point is, and what is refused, does not
depend on which way was taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from .points import EXACT, Batch

#: The fewest bytes for which it is worth it. A server that is sent little at a time need not load the library.
_LEAST = 4096


class _Codec(NamedTuple):
    decode: Callable[[bytes], Sequence[Any]]
    encode: Callable[[Sequence[Any]], bytes]


@lru_cache(maxsize=1)
def _codec() -> _Codec | None:
    try:
        import msgspec
    except ImportError:  # there is no wheel for 32-bit ARM
        return None
    point = msgspec.defstruct("point", [("t", float), ("d", int | float)], gc=False, forbid_unknown_fields=True)
    kind: Any = list[point]  # type: ignore[valid-type]
    return _Codec(msgspec.json.Decoder(kind).decode, msgspec.json.Encoder().encode)


def read_numbers(text: bytes) -> Batch | None:
    """Return the points in *text* if there are many, and each is a time and a number; else ``None``."""
    codec = _codec() if len(text) >= _LEAST else None
    if codec is None:
        return None
    try:
        rows = codec.decode(text)
    except ValueError:  # other points, or no JSON
        return None
    times, values = [row.t for row in rows], [row.d for row in rows]
    batch = Batch(rows, times, values, codec.encode)
    if int in batch.kinds and not (-EXACT < min(values) and max(values) < EXACT):
        return None  # one may have more than 64 bits, which the general way makes a float
    return batch if rows else None
