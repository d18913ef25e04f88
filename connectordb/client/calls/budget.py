"""`Budget`: how many requests may be retried: a share of all, and a few more, so that clients do not storm a server in trouble."""

from __future__ import annotations

import threading

from ...runtime.clock import Clock

#: The most retries that can be saved up; a session begins with as many.
_SAVED = 10.0

#: Seconds after which there is one more, as a share of the requests is next to nothing for a program that sends one a minute.
_ONE_EACH = 10.0


class Budget:
    """
    A token bucket: each request adds a share of a token, each retry takes one.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # every request adds to this, so that takes no lock: if two at once add only one share, that does no harm
        self._tokens = _SAVED
        # guards the taking of tokens
        self._lock = threading.Lock()
        self._looked = clock.monotonic()

    def earn(self, share: float | None) -> None:
        """Add the *share* that one request brings."""
        if share is not None and self._tokens < _SAVED:
            self._tokens = min(_SAVED, self._tokens + share)

    def spend(self, share: float | None) -> bool:
        """Take one token, and return whether there was one; always true without a *share*, as there is no limit then."""
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
