"""What a Logger's file may hold, and what gives way when it holds that much: as the program wants it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..exceptions import LocalProtocolError

#: What gives way when the file holds as much as it may.
OnFull = Literal["raise", "drop_oldest", "drop_newest", "thin"]

#: The least that `Limits.max_bytes` may be: an empty file takes a quarter of it.
LEAST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Bounds of a file; ``None`` is none.

    Attributes:
        max_points: Points that wait or are set aside.
        max_bytes: Bytes that the file takes, without what SQLite keeps beside it while it works.
        max_age: Seconds after which a point is given up that was not sent.
        on_full: What gives way.

    Raises:
        LocalProtocolError: One of them makes no sense.
    """

    max_points: int | None = None
    max_bytes: int | None = None
    max_age: float | None = None
    on_full: OnFull = "raise"

    def __post_init__(self) -> None:
        """Check them."""
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
        """Tell whether there is a bound."""
        return (self.max_points, self.max_bytes, self.max_age) != (None, None, None)

    def __str__(self) -> str:
        """Say what they are."""
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
