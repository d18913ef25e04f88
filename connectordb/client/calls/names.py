"""`Names`: idempotency keys. A server that knows them stores an insert once, however often it arrives under the same key."""

from __future__ import annotations

import os

from ...protocol.features import Features
from ...runtime.clock import Clock, Deadline

#: Seconds without keys after a server had no room to remember more, unless it says how long.
_NO_ROOM = 60.0


class Names:
    """
    Makes idempotency keys.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._paused: Deadline | None = None

    def another(self, features: Features) -> str | None:
        """Return a new key; ``None`` if the server does not know keys, or has no room for more."""
        if features.idempotency is None:
            return None
        paused = self._paused
        if paused is not None:
            if not paused.passed():
                return None
            self._paused = None
        return os.urandom(16).hex()

    def pause(self, seconds: float | None) -> None:
        """Make no keys for a while, as the server has no room for more."""
        self._paused = Deadline(_NO_ROOM if seconds is None else seconds, self._clock)
