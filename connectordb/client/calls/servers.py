"""Which of several servers is used: in order, the same as long as it answers, and the first one again once it does; pure."""

from __future__ import annotations

from math import inf

#: Seconds for which a server is not used after one failure; each further one doubles them, up to the longest.
FIRST_AWAY, LONGEST_AWAY = 1.0, 60.0

#: Seconds after which a server counts as one that had never failed.
_STABLE = 60.0


class _Health:
    """
    What is known of one server.

    Attributes:
        failures: How many in a row.
        until: When it may be tried again.
        since: When it was chosen last.
    """

    __slots__ = ("failures", "since", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.until = -inf
        self.since = -inf


class Servers:
    """
    Some servers, by number, the one that is liked best first.

    Whoever uses it says what time it is, by one clock, and sees to it that one thread at a time does so.

    Args:
        number: How many there are.

    Attributes:
        present: The one to use.
    """

    def __init__(self, number: int) -> None:
        self.present = 0
        self._health = [_Health() for _ in range(number)]

    def is_away(self, which: int, now: float) -> bool:
        """Tell whether it failed a while ago, and is to be left alone."""
        return now < self._health[which].until

    def failed(self, which: int, now: float) -> bool:
        """Take note that a server failed; tell whether another one is the present one now, which is not known to be away."""
        if which != self.present and self.is_away(which, now):
            return False  # it is known: many threads use the same one
        health = self._health[which]
        health.failures = 1 if now - health.since > _STABLE else health.failures + 1
        health.until = now + min(LONGEST_AWAY, FIRST_AWAY * 2.0 ** min(health.failures - 1, 60))
        return which == self.present and self._move(now)

    def leave(self, now: float) -> bool:
        """Use the next one for now, as somebody asks for that; tell whether there is one."""
        health = self._health[self.present]
        health.until = now + LONGEST_AWAY
        after = [(self.present + step) % len(self._health) for step in range(1, len(self._health))]
        self.present = next((which for which in after if not self.is_away(which, now)), (after or [self.present])[0])
        self._health[self.present].since = now
        return bool(after)

    def answered(self, which: int, now: float) -> bool:
        """Take note that a server that was away is there; tell whether it is the present one now, and was not before."""
        self._health[which].until = -inf
        if which >= self.present:
            return False
        self._begin(which, now)
        return True

    def worth_asking(self, now: float) -> tuple[int | None, float]:
        """
        Return the best of the servers that are liked better than the present one and may be tried again, if there is any; and the
        seconds until there may be one. They are infinite if the present one is the best.
        """
        better = range(self.present)
        found = next((which for which in better if not self.is_away(which, now)), None)
        return found, min((max(0.0, self._health[which].until - now) for which in better), default=inf)

    def _move(self, now: float) -> bool:
        """Choose the first that is not away; if all are, the one that was to be left alone for the shortest time."""
        best = min(range(len(self._health)), key=lambda which: (max(now, self._health[which].until), which))
        if best != self.present:
            self._begin(best, now)
        return not self.is_away(best, now)

    def _begin(self, which: int, now: float) -> None:
        self.present = which
        self._health[which].since = now
