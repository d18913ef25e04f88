"""Names of inserts, under which a server that knows such names makes each once, however often it is sent."""

from __future__ import annotations

import os

from ...protocol.features import Features
from ...runtime.clock import Clock, Deadline

#: Seconds for which no names are used after a server had no room for more.
_NO_ROOM = 60.0


class Names:
    """
    Gives them out.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._paused: Deadline | None = None

    def another(self, features: Features) -> str | None:
        """Return a name that no other insert has; ``None`` if the server has no use for one, or no room."""
        if features.idempotency is None:
            return None
        paused = self._paused
        if paused is not None:
            if not paused.passed():
                return None
            self._paused = None
        return os.urandom(16).hex()

    def pause(self, seconds: float | None) -> None:
        """Give none for a while: the server has no room for more."""
        self._paused = Deadline(_NO_ROOM if seconds is None else seconds, self._clock)
