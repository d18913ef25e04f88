"""Points as hypothesis makes them, and what they are once they were a frame or a table."""

from __future__ import annotations

import json
import unittest
from typing import Any

from hypothesis import strategies as st

try:
    import pyarrow  # noqa: F401
except ImportError:  # 32-bit ARM
    AVAILABLE = False
else:
    AVAILABLE = True

needs_frames = unittest.skipUnless(AVAILABLE, "the extra 'frames' is not installed")

_TIMES = st.floats(4e7, 9e9) | st.integers(40_000_000, 9_000_000_000).map(float)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
_SCALARS = st.none() | st.booleans() | _NUMBERS | _TEXTS
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3), max_leaves=8
)
_OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "t", "d", "ü"]), _VALUES, max_size=3)
_INTEGERS = st.integers(-(2**63), 2**64 - 1)

#: Streams whose values are all of a kind, and such as are of any.
POINTS = st.sampled_from(
    [
        _NUMBERS,
        _INTEGERS,
        st.booleans(),
        _TEXTS,
        _OBJECTS,
        _VALUES,
        st.none() | _NUMBERS,
        st.none() | st.booleans(),
        st.none(),
    ]
).flatmap(lambda values: st.lists(st.fixed_dictionaries({"t": _TIMES, "d": values}), max_size=12))


def without_nulls(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return points as they come back: where all values are objects, a null under a key is the same as none."""
    keys = {key for point in points if isinstance(point["d"], dict) for key in point["d"]}
    spread = all(isinstance(point["d"], dict) for point in points) and "t" not in keys and keys not in (set(), {"d"})
    if not spread:
        return points
    return [{"t": p["t"], "d": {key: value for key, value in p["d"].items() if value is not None}} for p in points]


def text(points: list[dict[str, Any]]) -> bytes:
    """Return points as servers write them."""
    return json.dumps([{"t": point["t"], "d": point["d"]} for point in points], separators=(",", ":")).encode()
