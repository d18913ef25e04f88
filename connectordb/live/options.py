"""The options of a subscription, as one value."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal

from ..exceptions import LocalProtocolError
from ..protocol.ranges import check_bound, to_index
from ..protocol.times import Time, to_seconds
from .downlinks import Policy

#: Called with what went wrong.
OnError = Callable[[Exception], Any]

#: Called with the number of points that a callback was called with.
Heard = Callable[[int], Any]

#: Why a stream is not what it was. It was deleted; it may not be read any more; it was deleted and made anew; it lost its end, as if
#: restored from a backup; all of its points were deleted; the watching device itself is gone; its transform took too long.
GoneReason = Literal["deleted", "denied", "recreated", "restored", "cleared", "caller", "exceeded"]

OnGone = Callable[[GoneReason], Any]

#: How far a subscription is. ``"connecting"``: there is no connection, or the server has not obeyed yet. ``"catching up"``: points
#: that came before, or meanwhile, are being handed on. ``"live"``: everything that is known to exist was handed on. ``"gone"``: the
#: stream does not exist, or may not be read. ``"closed"``: it has ended.
State = Literal["connecting", "catching up", "live", "gone", "closed"]

STATES: tuple[State, ...] = ("connecting", "catching up", "live", "gone", "closed")

#: What becomes of points when a callback is too slow for them.
Overflow = Literal["catch_up", "latest", "raise"]


@dataclass(frozen=True)
class Options:
    """
    The options of a subscription.

    Attributes:
        since: Where to begin: an index (an ``int``; negative ones count from the end), a time (a ``float``, ``datetime``,
            ``timedelta``, ISO text or words), which may lie in the future, or ``None`` for what comes from now on.
        remember: A file that keeps the place, so that another process can go on from there.
        at: Where a transform runs.
        overflow: What becomes of points when the callback is too slow: they are fetched again later; all but the newest are left
            out; or the subscription ends with an error.
        missed: For a downlink: which of the commands that came while nobody listened are handed on.
        expire: For a downlink: seconds after which a command is no longer obeyed.
        on_crash: For a downlink with *remember*: what becomes of a command that a killed process had begun.
        answers: For a downlink: whether outcomes are recorded in a companion stream.
        on_error: Called with what goes wrong later; without it, that is logged.
        on_gone: Called with a `GoneReason`.
        on_subscribed: Called once everything that was missed has been handed on, with the number of those points; again after each
            reconnect.
        on_state: Called with each new state of the subscription; with ``"closed"`` on whichever thread ends it.
        private: Whether it is part of something else, such as a mirror: other subscriptions to the stream neither replace nor end it.
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
        Return the options that concern commands.

        Raises:
            LocalProtocolError: A value is none of those allowed.
        """
        return Policy(self.on_crash, self.missed, self.expire)

    def check(self, downlink: bool, transform: str) -> None:
        """
        Refuse options that make no sense.

        Raises:
            LocalProtocolError: A value is none of those allowed, or has no meaning for this kind of subscription.
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
            check_bound("since", to_seconds(self.since, 0.0))
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
