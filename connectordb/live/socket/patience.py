"""
When to ask whether a connection is still alive, when to give it up, and when it is no longer needed. Pure: the time is given.

A server that is gone without a word, a half-open connection, and an original server that a bad command has silenced look
alike: nothing comes. So we send a ping whenever nothing has come for a while, and if nothing follows it, the connection is
dead. It is dead, too, if only part of a message follows, and then nothing again: then the framing is out of step, and swallows the
answers as well. (The server's own pings, every 54 s, are answered; if they stay away, that is not a sign in itself, as some
servers send them only when nothing else is going on.)
"""

from __future__ import annotations

from dataclasses import dataclass

from ...runtime.backoff import Backoff


@dataclass(frozen=True, slots=True)
class Timing:
    """
    How patient a connection is, in seconds.

    Attributes:
        quiet: If nothing came for so long, ask whether the server is still there.
        answer: If nothing comes for so long after that, it is not.
        linger: How long the connection stays when nothing is wanted any more.
        stable: If a connection lasted so long, its loss does not count as a repeated failure.
        backoff: The pauses between attempts to connect, and between looks at a stream that does not exist.
    """

    quiet: float = 30.0
    answer: float = 10.0
    linger: float = 10.0
    stable: float = 30.0
    backoff: Backoff = Backoff()


#: The timing of a client that is given no other.
DEFAULT = Timing()


class Patience:
    """The patience with one connection, which begins *now*."""

    def __init__(self, timing: Timing, now: float) -> None:
        self._timing = timing
        self._heard = now
        #: When a ping was sent after which nothing has come yet.
        self._asked: float | None = None
        #: Whether a ping was sent after which nothing whole has come.
        self._unanswered = False
        #: Since when nothing is wanted.
        self._unwanted: float | None = None
        #: While commands wait for answers: since when, or when a ping was last answered meanwhile.
        self._waiting: float | None = None
        #: While commands wait for answers: when a ping was sent that has not been answered yet.
        self._probed: float | None = None

    def heard(self, now: float, whole: bool = True) -> None:
        """Note that something came; not *whole* if it was only part of a message."""
        self._heard = now
        self._asked = None
        if whole:
            self._unanswered = False

    def asked(self, now: float) -> None:
        """Note that a ping was sent."""
        if self._asked is None:
            self._asked = now
        self._unanswered = True
        if self._waiting is not None and self._probed is None:
            self._probed = now

    def answered(self, now: float) -> None:
        """Note that a ping was answered: the server hears us, however long it takes to obey."""
        self._probed = None
        if self._waiting is not None:
            self._waiting = now

    def waits(self, waiting: bool, now: float) -> None:
        """Note whether commands are waiting for an answer."""
        if not waiting:
            self._waiting = self._probed = None
        elif self._waiting is None:
            self._waiting = now

    def wanted(self, wanted: bool, now: float) -> None:
        """Note whether anybody needs the connection."""
        if wanted:
            self._unwanted = None
        elif self._unwanted is None:
            self._unwanted = now

    def should_ask(self, now: float) -> bool:
        """Tell whether it is time for a ping."""
        if self._waiting is not None and self._probed is None and now >= self._waiting + self._timing.quiet:
            return True
        return self._asked is None and not self._unanswered and now >= self._heard + self._timing.quiet

    def is_dead(self, now: float) -> bool:
        """Tell whether the server was asked and has been silent for too long; or has stopped again, in the middle of a message."""
        if self._asked is None:
            return self._unanswered and now >= self._heard + self._timing.quiet
        return now >= self._asked + self._timing.answer

    def is_deaf(self, now: float) -> bool:
        """Tell whether the server has answered nothing for too long, not even a ping, though it may be sending all the while."""
        return self._probed is not None and now >= self._probed + self._timing.answer

    def is_over(self, now: float) -> bool:
        """Tell whether nobody has needed the connection for long enough."""
        return self._unwanted is not None and now >= self._unwanted + self._timing.linger

    def silence(self, now: float) -> float:
        """Return for how long nothing has come."""
        return now - self._heard

    def next(self) -> float:
        """Return when one of the answers above changes, if nothing comes until then."""
        quiet, answer = self._timing.quiet, self._timing.answer
        times = [self._heard + quiet if self._asked is None else self._asked + answer]
        if self._waiting is not None:
            times.append(self._waiting + quiet if self._probed is None else self._probed + answer)
        if self._unwanted is not None:
            times.append(self._unwanted + self._timing.linger)
        return min(times)
