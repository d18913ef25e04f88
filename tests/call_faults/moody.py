"""A gate at which some of the requests, by chance, meet some fault."""

from __future__ import annotations

import random
from collections import Counter

from .faults import FAULTS, Fault
from .gate import Gate, Trouble

#: What they meet, and how often, beside each other. Those that hold a call up for long are rare.
_WEIGHTS = {
    **dict.fromkeys(("hang-up", "reset", "reset-in-answer", "cut-gzip", "longer", "shorter"), 6),
    **dict.fromkeys(("html", "half-json", "empty", "401", "403", "429", "500", "502", "503"), 6),
    **dict.fromkeys(("redirect-loop", "redirect-elsewhere"), 2),
    **dict.fromkeys(("half-open", "429-later", "503-later"), 2),
    **dict.fromkeys(("drip", "drip-of-head"), 1),
}


class Moody(Gate):
    """
    See the module.

    Attributes:
        share: How many of the requests meet a fault, of 1.
        chance: What is random.
        met: How often each fault was met.
        widest: How many connections were open at the same time, at the most.
    """

    share = 0.0
    chance = random.Random()

    def __init__(self, number: int, target: str, elsewhere: str) -> None:
        self.met: Counter[str] = Counter()
        self.requests = 0
        self.widest = 0
        super().__init__(number, target, elsewhere)

    def _playing(self) -> Trouble | None:
        with self._lock:
            self.lines.clear()  # they are only counted
            self.requests += 1
            self.widest = max(self.widest, len(self._open))
            if self.chance.random() >= self.share:
                return None
            fault: Fault = FAULTS[self.chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]]
            self.met[fault.name] += 1
            return fault.trouble(True, self.chance.choice(fault.passed_on), 1)
