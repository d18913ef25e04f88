"""`Servers`: which of several servers is in use: the same one while it answers, and the first again once it is back; pure."""

from __future__ import annotations

from math import inf

#: Seconds for which a server is not used after its first failure; each further failure doubles them, up to the longest.
FIRST_AWAY, LONGEST_AWAY = 1.0, 60.0

#: Seconds of use after which a server's earlier failures are forgotten.
_STABLE = 60.0


class _Health:
    """
    What is known of one server.

    Attributes:
        failures: How often it failed in a row.
        until: When it may be tried again.
        since: When it became the present one last.
    """

    __slots__ = ("failures", "since", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.until = -inf
        self.since = -inf


class Servers:
    """
    The state of some servers, which are numbered in order of preference.

    It has no clock and no lock: callers pass the time, and call it from one thread at a time.

    Args:
        number: How many servers there are.

    Attributes:
        present: The number of the server to use.
    """

    def __init__(self, number: int) -> None:
        self.present = 0
        self._health = [_Health() for _ in range(number)]

    def is_away(self, which: int, now: float) -> bool:
        """Tell whether a server has failed, and is not to be used for a while."""
        return now < self._health[which].until

    def failed(self, which: int, now: float) -> bool:
        """Note that a server has failed; return whether that made another one the present one that is not known to be away."""
        if which != self.present and self.is_away(which, now):
            return False  # another thread has reported it already
        health = self._health[which]
        health.failures = 1 if now - health.since > _STABLE else health.failures + 1
        health.until = now + min(LONGEST_AWAY, FIRST_AWAY * 2.0 ** min(health.failures - 1, 60))
        return which == self.present and self._move(now)

    def leave(self, now: float) -> bool:
        """Use the next server for now because the user wants it; return whether there is one."""
        health = self._health[self.present]
        health.until = now + LONGEST_AWAY
        after = [(self.present + step) % len(self._health) for step in range(1, len(self._health))]
        self.present = next((which for which in after if not self.is_away(which, now)), (after or [self.present])[0])
        self._health[self.present].since = now
        return bool(after)

    def answered(self, which: int, now: float) -> bool:
        """Note that a server is back; return whether that made it the present one."""
        self._health[which].until = -inf
        if which >= self.present:
            return False
        self._begin(which, now)
        return True

    def worth_asking(self, now: float) -> tuple[int | None, float]:
        """
        Return the first server before the present one that may be tried again, or ``None``; and the seconds until there may be one,
        which are infinite if the present one is the first.
        """
        better = range(self.present)
        found = next((which for which in better if not self.is_away(which, now)), None)
        return found, min((max(0.0, self._health[which].until - now) for which in better), default=inf)

    def _move(self, now: float) -> bool:
        """Choose the first server that is not away; if all are, the one that will be back soonest."""
        best = min(range(len(self._health)), key=lambda which: (max(now, self._health[which].until), which))
        if best != self.present:
            self._begin(best, now)
        return not self.is_away(best, now)

    def _begin(self, which: int, now: float) -> None:
        self.present = which
        self._health[which].since = now
