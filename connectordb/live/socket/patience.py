"""
When a connection is asked whether it still lives, given up, or no longer needed: pure, given the time.

A server that is gone without a word, a half-open connection and an original server that a bad command has silenced look
alike: nothing comes. So a ping of our own goes out whenever nothing has come for a while, and if nothing follows it the
connection is dead. So it is if only pieces of a message follow, and then nothing again: who has lost count of what it says swallows
its answers, too. (The server's own pings, every 54 s, are answered; that they stay away is no sign by itself, as some
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
        quiet: Nothing came for so long: ask whether the server is still there.
        answer: It is not, if nothing comes for so long after that.
        linger: The connection stays for so long when nothing is wanted any more.
        stable: A connection that lived so long was a good one: its loss is no repeated failure.
        backoff: The pauses between attempts to connect, and between looks at a stream that is not there.
    """

    quiet: float = 30.0
    answer: float = 10.0
    linger: float = 10.0
    stable: float = 30.0
    backoff: Backoff = Backoff()


#: What a client has unless it is given another.
DEFAULT = Timing()


class Patience:
    """The patience with one connection, from *now* on."""

    def __init__(self, timing: Timing, now: float) -> None:
        self._timing = timing
        self._heard = now
        #: When a ping went out that nothing has followed yet.
        self._asked: float | None = None
        #: Whether a ping went out, and nothing whole has followed it.
        self._unanswered = False
        #: Since when nothing is wanted.
        self._unwanted: float | None = None
        #: Since when commands wait for an answer, or a ping that went out meanwhile was answered.
        self._waiting: float | None = None
        #: When a ping went out, as they did, that has not been answered yet.
        self._probed: float | None = None

    def heard(self, now: float, whole: bool = True) -> None:
        """Note that something came, whatever it was; not *whole*: no more than a piece of a message."""
        self._heard = now
        self._asked = None
        if whole:
            self._unanswered = False

    def asked(self, now: float) -> None:
        """Note that a ping went out."""
        if self._asked is None:
            self._asked = now
        self._unanswered = True
        if self._waiting is not None and self._probed is None:
            self._probed = now

    def answered(self, now: float) -> None:
        """Note that a ping was answered: the server hears what it is told, however long it takes to obey."""
        self._probed = None
        if self._waiting is not None:
            self._waiting = now

    def waits(self, waiting: bool, now: float) -> None:
        """Note whether the server was told something that it has not answered."""
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
        """Tell whether the server has been asked, and silent, for too long; or is silent again, in the midst of a message."""
        if self._asked is None:
            return self._unanswered and now >= self._heard + self._timing.quiet
        return now >= self._asked + self._timing.answer

    def is_deaf(self, now: float) -> bool:
        """Tell whether the server has not answered for too long, not even a ping, though it may speak all the while."""
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
