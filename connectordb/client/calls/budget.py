"""How many requests may be sent again: a share of all, and a few beyond, so that those who retry do not storm a server."""

from __future__ import annotations

import threading

from ...runtime.clock import Clock

#: Retries that may be saved up, and that there are at the beginning.
_SAVED = 10.0

#: Seconds after which there is one more, whatever was sent: who asks once a minute has few requests to take a share of.
_ONE_EACH = 10.0


class Budget:
    """
    A bucket of tokens: each request brings a share of one, each retry takes one.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # what brings tokens takes no lock, as every request does so: two at once may bring one share, which is no harm
        self._tokens = _SAVED
        # guards taking
        self._lock = threading.Lock()
        self._looked = clock.monotonic()

    def earn(self, share: float | None) -> None:
        """Bring the *share* of one request."""
        if share is not None and self._tokens < _SAVED:
            self._tokens = min(_SAVED, self._tokens + share)

    def spend(self, share: float | None) -> bool:
        """Take one token; tell whether there was one. Without a *share* there is no limit."""
        if share is None:
            return True
        with self._lock:
            now = self._clock.monotonic()
            if share > 0.0:
                self._tokens = min(_SAVED, self._tokens + (now - self._looked) / _ONE_EACH)
            self._looked = now
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
            return True
