"""How far a stream has been handled: what one process tells the next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """
    How far a stream has been handled.

    Attributes:
        next: Index of the first point that has not been.
        last_t: Time of the point before it, by which a stream that was restored or made anew is recognised; `None` if there
            is none, or it is not known.
        series: What tells the stream from another one that had its path before; ``""`` on servers that do not say.
    """

    next: int
    last_t: float | None = None
    series: str = ""
