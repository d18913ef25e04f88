"""
Many points off the wire, each a time and a number: decoded straight into columns by msgspec, where that is installed.

Text that says anything else is for whoever reads all there is, as is all text where msgspec is missing: what a point is, and
what is refused, does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from .points import EXACT, Batch

#: Bytes of text from which on it is worth it: who is sent little at once need not load the library.
_LEAST = 4096


class _Codec(NamedTuple):
    decode: Callable[[bytes], Sequence[Any]]
    encode: Callable[[Sequence[Any]], bytes]


@lru_cache(maxsize=1)
def _codec() -> _Codec | None:
    try:
        import msgspec
    except ImportError:  # 32-bit ARM
        return None
    point = msgspec.defstruct("point", [("t", float), ("d", int | float)], gc=False, forbid_unknown_fields=True)
    kind: Any = list[point]  # type: ignore[valid-type]
    return _Codec(msgspec.json.Decoder(kind).decode, msgspec.json.Encoder().encode)


def read_numbers(text: bytes) -> Batch | None:
    """Return the points that *text* says, if they are many, and each a time and a number; times are floats."""
    codec = _codec() if len(text) >= _LEAST else None
    if codec is None:
        return None
    try:
        rows = codec.decode(text)
    except ValueError:  # something else, or no JSON
        return None
    times, values = [row.t for row in rows], [row.d for row in rows]
    batch = Batch(rows, times, values, codec.encode)
    if int in batch.kinds and not (-EXACT < min(values) and max(values) < EXACT):
        return None  # of more than 64 bits, perhaps, which are floats to others
    return batch if rows else None
