"""Whether something newer may be there than what is known here, since when, and why."""

from __future__ import annotations

from ...runtime.clock import Clock


class Staleness:
    """
    Stale at first: nothing is known yet.

    Attributes:
        since: When what is known was last known to be the newest, in seconds since 1970; ``None`` while it is.
        reason: Why that is not known; ``None`` while it is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # on the clock that nobody sets
        self._elapsed: float | None = clock.monotonic()
        self.reason: str | None = "connecting"

    @property
    def since(self) -> float | None:
        """See above; counted back from now, so that setting the machine's clock does not make it older or younger."""
        elapsed = self._elapsed
        return None if elapsed is None else self._clock.wall() - (self._clock.monotonic() - elapsed)

    def begin(self, reason: str) -> None:
        """Begin to be stale; if it is already, that is now for another reason."""
        if self.reason is None:
            self._elapsed = self._clock.monotonic()
        self.reason = reason

    def end(self) -> None:
        """Be stale no more."""
        self.reason = self._elapsed = None
