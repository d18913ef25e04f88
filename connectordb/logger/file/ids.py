"""The id of a row: its stream's id, and above 0 its number within the stream, in one integer; why, is said in `upgrade`."""

from __future__ import annotations

#: Bits of an id that hold the number within the stream: a thousand points a second for thirty years.
NUMBER_BITS = 40

#: Takes the number within its stream out of an id.
MASK = (1 << NUMBER_BITS) - 1


def span(stream: int) -> tuple[int, int]:
    """Return what the ids of a stream's rows lie between: `base`, and the highest that there may be."""
    return base(stream), base(stream) | MASK


def base(stream: int) -> int:
    """Return what is added to a number to make an id of a row of *stream*."""
    return stream << NUMBER_BITS


def stream_of(id: int) -> int:
    """Return the stream of the row with *id*."""
    return id >> NUMBER_BITS


def number_of(id: int) -> int:
    """Return the number of the row with *id* within its stream."""
    return id & MASK
