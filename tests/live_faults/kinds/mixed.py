"""Several faults at once, in any order."""

from __future__ import annotations

import random

from ..stage import Stage
from ..station import Station
from .callbacks import Again, Slow
from .catching_up import RestFails
from .kind import Kind
from .network import Cut, Garbage, HalfOpen, Handshake, Stalled, Swallowed
from .servers import ServerKilled, ServerStopped

_PARTS = (
    Cut,
    Cut,
    Garbage,
    HalfOpen,
    Handshake,
    Stalled,
    Swallowed,
    ServerKilled,
    ServerStopped,
    Again,
    Slow,
    RestFails,
)


class Mixed(Kind):
    """Two or three of the others, one into the next."""

    name = "mixed"

    def __init__(self, stage: Stage, count: int, chance: random.Random) -> None:
        super().__init__(stage, count, chance)
        self._parts = [part(stage, count, chance) for part in _PARTS if part.needs <= stage.target.powers]

    def begin(self, station: Station) -> None:
        for part in self._parts:
            part.begin(station)

    def fault(self, station: Station, number: int) -> None:
        for _ in range(self.chance.choice((2, 3))):
            self.chance.choice(self._parts).fault(station, self.chance.randrange(self.count))
            self.stage.recover()
            self.stage.proxy.release()
            station.writers.go_on()  # some have them pause


KINDS = [Mixed]
