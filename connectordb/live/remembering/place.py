"""How far a stream has been handled, as one process tells the next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """
    How far a stream has been handled.

    Attributes:
        next: The index of the first point that has not been handled.
        last_t: The time of the point before it, by which a stream that was restored or made anew is recognised; `None` if there
            is no such point, or its time is not known.
        series: The server's name for this very stream, by which it differs from others at its path before or after; ``""`` if the
            server has none.
    """

    next: int
    last_t: float | None = None
    series: str = ""
