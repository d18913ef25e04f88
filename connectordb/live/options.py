"""What a subscriber may choose, in one value."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal

from ..exceptions import LocalProtocolError
from ..protocol.ranges import to_index
from ..protocol.times import Time, to_seconds
from .downlinks import Policy

#: Called with what went wrong.
OnError = Callable[[Exception], Any]

#: Told how many points a callback was called with.
Heard = Callable[[int], Any]

#: Why nothing comes from a stream: it is not there any more, or may not be read; it was made anew; its indices went back, as if
#: restored from a backup; all of its points were deleted; the watching device itself is gone; its transform took too long.
GoneReason = Literal["deleted", "denied", "recreated", "restored", "cleared", "caller", "exceeded"]

OnGone = Callable[[GoneReason], Any]

#: How far a subscription is: no connection, or not obeyed by the server yet; handing on what came before, or meanwhile; nothing
#: is known to be there that was not handed on; the stream is not there, or may not be read; ended.
State = Literal["connecting", "catching up", "live", "gone", "closed"]

STATES: tuple[State, ...] = ("connecting", "catching up", "live", "gone", "closed")

#: What becomes of points when a callback is too slow for them.
Overflow = Literal["catch_up", "latest", "raise"]


@dataclass(frozen=True)
class Options:
    """
    What a subscriber may choose.

    Attributes:
        since: Where to begin: an index (an ``int``; negative ones count from the end), a time (a ``float``, ``datetime``,
            ``timedelta``, ISO text or words), also one that is still to come, or ``None`` for what comes from now on.
        remember: A file that keeps the place, so that another process goes on there.
        at: Where a transform runs.
        overflow: What becomes of points when the callback is too slow: fetched again later, all but the newest left out, or
            the subscription ended with an error.
        missed: Of a downlink, which of the commands that came while nobody listened are handed on.
        expire: Of a downlink, seconds after which a command is obeyed no more.
        on_crash: Of a downlink with *remember*, what becomes of a command that a killed process had begun.
        answers: Of a downlink, whether outcomes are recorded in a companion stream.
        on_error: Called with what goes wrong later; without it, that is logged.
        on_gone: Called with a `GoneReason`.
        on_state: Called with each state that the subscription comes to; with the last on whatever thread ends it.
        private: Whether it belongs to something else: others on the same stream neither replace nor end it.
        on_subscribed: Called once all that was missed is handed on, with the number of those points; again after each
            reconnect.
    """

    since: Time | None = None
    remember: str | os.PathLike[str] | None = None
    at: Literal["server", "client"] = "server"
    overflow: Overflow = "catch_up"
    missed: Literal["all", "latest", "none"] = "all"
    expire: float | None = None
    on_crash: Literal["again", "skip"] = "again"
    answers: bool = False
    on_error: OnError | None = None
    on_gone: OnGone | None = None
    on_subscribed: Callable[[int], Any] | None = None
    on_state: Callable[[State], Any] | None = None
    private: bool = False

    def policy(self) -> Policy:
        """
        Return what concerns commands.

        Raises:
            LocalProtocolError: A value is none of those allowed.
        """
        return Policy(self.on_crash, self.missed, self.expire)

    def check(self, downlink: bool, transform: str) -> None:
        """
        Refuse what makes no sense.

        Raises:
            LocalProtocolError: A value is none of those allowed, or stands where it means nothing.
            InvalidRange: *since* is neither an index nor a time.
        """
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise LocalProtocolError(
                    f"{name}={getattr(self, name)!r}: expected one of {', '.join(map(repr, allowed))}"
                )
        if type(self.since) is int:
            to_index(self.since, "since")
        elif self.since is not None:
            to_seconds(self.since, 0.0)
        if transform and self.remember is not None:
            raise LocalProtocolError(
                "remember= keeps a place, and not what a transform has seen so far: leave one of them out"
            )
        if transform and self.at == "server" and self.since is not None:
            raise LocalProtocolError(
                "since= goes by index, and what a transform makes at the server has none: say at='client'"
            )
        if self.at == "client" and (downlink or not transform):
            raise LocalProtocolError("at='client' says where a transform runs: give one, and no downlink")
        if downlink:
            self.policy()
        else:
            given = [f.name for f in fields(self) if f.name in _OF_DOWNLINKS and getattr(self, f.name) != f.default]
            if given:
                raise LocalProtocolError(f"{given[0]}= is for downlinks: say downlink=True, or leave it out")


_OF_DOWNLINKS = ("missed", "expire", "on_crash", "answers")

_CHOICES: dict[str, tuple[str, ...]] = {
    "at": ("server", "client"),
    "overflow": ("catch_up", "latest", "raise"),
}
