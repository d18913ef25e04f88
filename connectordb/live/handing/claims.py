"""If a downlink has several callbacks, only one acknowledges a command: the claims to the latest commands."""

from __future__ import annotations

import threading
from collections import OrderedDict

from ..downlinks import Claim

#: What identifies a command: its index, and its time, as indices begin again in a stream that is made anew.
CommandKey = tuple[int, float]

#: How many commands are remembered, the latest.
_REMEMBERED = 10_000


class Claims:
    """The claims to the commands of one downlink."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: OrderedDict[CommandKey, Claim] = OrderedDict()

    def of(self, command: CommandKey, parties: int) -> Claim:
        """Return the claim to a command; *parties* is how many callbacks are called with it."""
        with self._lock:
            claim = self._claims.setdefault(command, Claim(parties))
            while len(self._claims) > _REMEMBERED:
                self._claims.popitem(last=False)
            return claim
