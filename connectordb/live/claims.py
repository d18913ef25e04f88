"""Of several callbacks of one downlink, which acknowledges a command: the claims to the commands that were handed on last."""

from __future__ import annotations

import threading
from collections import OrderedDict

from .downlinks import Claim

#: Commands that are remembered, of those that were handed on last.
_REMEMBERED = 10_000


class Claims:
    """The claims to the commands of one downlink."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_index: OrderedDict[int, Claim] = OrderedDict()

    def of(self, index: int, parties: int) -> Claim:
        """Return the claim to the command at *index*, which so many callbacks are called with."""
        with self._lock:
            claim = self._by_index.setdefault(index, Claim(parties))
            while len(self._by_index) > _REMEMBERED:
                self._by_index.popitem(last=False)
            return claim
