"""The id of a row: its stream's id and its number within the stream, counted from 1, in one integer. `upgrade` says why."""

from __future__ import annotations

#: Bits of an id that hold the number within the stream: a thousand points a second for thirty years.
NUMBER_BITS = 40

#: Takes the number within its stream out of an id.
MASK = (1 << NUMBER_BITS) - 1


def span(stream: int) -> tuple[int, int]:
    """Return between which ids those of a stream's rows lie: `base`, and the highest possible id."""
    return base(stream), base(stream) | MASK


def base(stream: int) -> int:
    """Return what has to be added to a row's number to get its id."""
    return stream << NUMBER_BITS


def stream_of(id: int) -> int:
    """Return the stream of the row with *id*."""
    return id >> NUMBER_BITS


def number_of(id: int) -> int:
    """Return the number of the row with *id* within its stream."""
    return id & MASK
