"""Which commands are acted on: the user's choices about commands that were interrupted, missed, or are old. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from ...exceptions import LocalProtocolError

#: Seconds by which this machine's clock may differ from the server's and still be believed: the server tells whole seconds, and what
#: it told is a while old.
_CLOCK_TOLERANCE = 2.0


class Skip(NamedTuple):
    """
    Why a command is not acted on.

    Attributes:
        why: The reason, in words.
        told: Whether the user is told; not if skipping it is what the user chose.
    """

    why: str
    told: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """
    The user's choices.

    Attributes:
        on_crash: If the process ended while a command was acted on, nobody knows whether it was done. ``"again"`` calls the callback
            again, ``"skip"`` does not.
        missed: Which of the commands that came while there was no connection are acted on: ``"all"``, only the ``"latest"``, or
            ``"none"``.
        expire: Seconds after which a command is no longer acted on; `None` for never.

    Raises:
        LocalProtocolError: A value is none of those allowed.
    """

    on_crash: str = "again"
    missed: str = "all"
    expire: float | None = None

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("on_crash", self.on_crash, ("again", "skip")),
            ("missed", self.missed, ("all", "latest", "none")),
        ):
            if value not in choices:
                raise LocalProtocolError(f"{name}={value!r}: expected {' or '.join(map(repr, choices))}")
        seconds = self.expire
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0 or math.isnan(seconds)
        ):
            raise LocalProtocolError(f"expire={seconds!r}: expected seconds above 0, or None for never")

    def skip(self, index: int | None, age: float, away_until: int | None, interrupted: bool) -> Skip | None:
        """
        Return why a command is not acted on; `None` if it is.

        Args:
            index: Its index.
            age: Seconds since its time.
            away_until: If it came while there was no connection: the index after the last command that did.
            interrupted: Whether the callback was called with it before, and the process ended meanwhile.
        """
        if interrupted and self.on_crash == "skip":
            return Skip(
                "the device's program ended while it acted on it, and does not act again: it may be done or not"
            )
        if self.expire is not None and age > self.expire:
            return Skip(f"it is {age:.1f} s old, and commands older than {self.expire:g} s are not acted on")
        if interrupted or away_until is None or index is None or self.missed == "all":
            return None
        if self.missed == "none":
            return Skip("it came while the device was away", told=False)
        if index < away_until - 1:
            return Skip("it came while the device was away, and a later one did, too", told=False)
        return None


#: The choices of a user who makes none.
DEFAULT = Policy()


def now(own: float, server: float | None) -> float:
    """Return the time from which a command's age is reckoned: this machine's, unless that differs too much from the server's."""
    return own if server is None or abs(own - server) <= _CLOCK_TOLERANCE else server
