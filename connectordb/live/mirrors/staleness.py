"""Whether there may be something newer than what is known here, since when, and why."""

from __future__ import annotations

from ...runtime.clock import Clock


class Staleness:
    """
    Whether a mirror is stale. It is at first, as nothing is known yet.

    Attributes:
        since: Since when it has been stale, in seconds since 1970; ``None`` if it is not.
        reason: Why it is stale; ``None`` if it is not.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # by the monotonic clock, which nobody sets
        self._elapsed: float | None = clock.monotonic()
        self.reason: str | None = "connecting"

    @property
    def since(self) -> float | None:
        """As above. Reckoned back from now, so that setting the machine's clock does not make it older or younger."""
        elapsed = self._elapsed
        return None if elapsed is None else self._clock.wall() - (self._clock.monotonic() - elapsed)

    def begin(self, reason: str) -> None:
        """Become stale; if it is stale already, only the reason changes."""
        if self.reason is None:
            self._elapsed = self._clock.monotonic()
        self.reason = reason

    def end(self) -> None:
        """No longer be stale."""
        self.reason = self._elapsed = None
