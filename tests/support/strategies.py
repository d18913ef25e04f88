"""Hypothesis strategies that several tests use."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from connectordb.protocol.paths import Path

#: What may name a user, a device or a stream.
names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_-]{0,28}", fullmatch=True)


@st.composite
def paths(draw: st.DrawFn, least: int = 1, most: int = 3) -> Path:
    """Paths of that many names; of a stream, its downlink too."""
    parts = tuple(draw(st.lists(names, min_size=least, max_size=most)))
    return Path(parts, downlink=len(parts) == 3 and draw(st.booleans()))


#: Text that UTF-8 can carry.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

#: Numbers that JSON can carry and that read back as the same value.
numbers = st.one_of(st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False))

#: Any JSON value, nested a little.
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)


@st.composite
def datapoints(draw: st.DrawFn, most: int = 8, value: st.SearchStrategy[Any] = values) -> list[dict[str, Any]]:
    """Points in order of time."""
    times = sorted(draw(st.lists(st.floats(0.001, 4e9), max_size=most)))
    return [{"t": t, "d": draw(value)} for t in times]
