"""The program's bounds for a Logger's file, and what gives way when they are reached. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..exceptions import LocalProtocolError

#: What gives way when the file holds as much as it may.
OnFull = Literal["raise", "drop_oldest", "drop_newest", "thin"]

#: The smallest `Limits.max_bytes`: an empty file takes a quarter of it.
LEAST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Bounds of a file; ``None`` means no bound.

    Attributes:
        max_points: How many points may wait or be set aside.
        max_bytes: The size of the file, without what SQLite keeps beside it while it works.
        max_age: Seconds after which an unsent point is given up.
        on_full: What gives way when *max_points* or *max_bytes* is reached.

    Raises:
        LocalProtocolError: One of them makes no sense.
    """

    max_points: int | None = None
    max_bytes: int | None = None
    max_age: float | None = None
    on_full: OnFull = "raise"

    def __post_init__(self) -> None:
        """Check the bounds."""
        _check("max_points", self.max_points, int, 1, "points, 1 at least")
        _check("max_bytes", self.max_bytes, int, LEAST_BYTES, f"bytes, {LEAST_BYTES} at least")
        _check("max_age", self.max_age, (int, float), 1.0, "seconds, 1 at least")
        if self.on_full not in get_args(OnFull):
            raise LocalProtocolError(f"on_full={self.on_full!r}: expected one of {', '.join(get_args(OnFull))}")
        if self.on_full != "raise" and self.max_points is None and self.max_bytes is None:
            raise LocalProtocolError(
                f"on_full={self.on_full!r} says what gives way at max_points or max_bytes: give one of them"
            )

    def __bool__(self) -> bool:
        """Tell whether there is any bound."""
        return (self.max_points, self.max_bytes, self.max_age) != (None, None, None)

    def __str__(self) -> str:
        """Say what the bounds are, in words."""
        words = [
            f"{what} {value}"
            for what, value in (
                ("points:", self.max_points),
                ("bytes:", self.max_bytes),
                ("seconds old:", self.max_age),
            )
            if value is not None
        ]
        return f"at most {', '.join(words)}; on_full={self.on_full!r}" if words else "no bounds"


def _check(name: str, value: Any, kind: Any, least: float, expected: str) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, kind) or not least <= value < float("inf"):
        raise LocalProtocolError(f"{name}={value!r}: expected {expected}, or None")
