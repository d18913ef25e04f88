"""Of several callbacks of one downlink, which acknowledges a command: the claims to the commands that were handed on last."""

from __future__ import annotations

import threading
from collections import OrderedDict

from ..downlinks import Claim

#: What a command is known by: its index, and its time, as in a stream that is made anew indices begin again.
CommandKey = tuple[int, float]

#: Commands that are remembered, of those that were handed on last.
_REMEMBERED = 10_000


class Claims:
    """The claims to the commands of one downlink."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: OrderedDict[CommandKey, Claim] = OrderedDict()

    def of(self, command: CommandKey, parties: int) -> Claim:
        """Return the claim to a command, which so many callbacks are called with."""
        with self._lock:
            claim = self._claims.setdefault(command, Claim(parties))
            while len(self._claims) > _REMEMBERED:
                self._claims.popitem(last=False)
            return claim
