"""Of several callbacks of one downlink, which acknowledges a command: the first that does."""

from __future__ import annotations

import threading
from collections import OrderedDict

#: Commands that are remembered, of those that were handed on last.
_REMEMBERED = 10_000


class Claim:
    """Who acknowledges one command."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take it; tell whether nobody had it before."""
        return self._lock.acquire(blocking=False)


class Claims:
    """The claims to the commands of one downlink."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_index: OrderedDict[int, Claim] = OrderedDict()

    def of(self, index: int) -> Claim:
        """Return the claim to the command at *index*."""
        with self._lock:
            claim = self._by_index.setdefault(index, Claim())
            while len(self._by_index) > _REMEMBERED:
                self._by_index.popitem(last=False)
            return claim
