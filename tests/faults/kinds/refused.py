"""Points that a server does not take, and points that the Logger is to give up."""

from __future__ import annotations

from typing import Any

from ...support.mishaps import ANY
from ..station import BAD, COUNTED, TIMED, Station
from .kind import Kind


class Refused(Kind):
    """The server's schema refuses some of the points, while connections break as well: those are set aside, and no others."""

    name = "refused"

    def options(self, number: int) -> dict[str, Any]:
        return {"schema": {"type": "array"}}

    def fault(self, station: Station, number: int) -> None:
        share = self.chance.choice((0.1, 0.5, 1.0))
        command = station.logging(COUNTED, self.chance.choice((1, 2, 3, 8)), bad=lambda: self.chance.random() < share)
        station.process().ask(**command)
        for _ in range(self.chance.randrange(3)):
            self.stage.proxy.next(self.chance.choice(ANY), skip=self.chance.randrange(3))
        station.sync()

    def allowed(self, point: Any, reason: str) -> bool:
        return bool(point[0] == BAD) and reason.startswith("refused by the server: At least one datapoint")


class Bounded(Kind):
    """The file may hold twelve points, and more come, while connections break: what gives way is what was wanted, and counted."""

    name = "bounded"
    fresh = 8

    def options(self, number: int) -> dict[str, Any]:
        gives_way = ("raise", "drop_oldest", "drop_newest", "thin")[number // 2 % 4]
        return {"options": {"max_points": 12, "on_full": gives_way}}

    def fault(self, station: Station, number: int) -> None:
        for _ in range(self.chance.randrange(1, 5)):
            station.log(self.chance.choice((1, 3, 9)), [self.chance.choice((COUNTED, TIMED))])
            if self.chance.random() < 0.5:
                for _ in range(self.chance.randrange(3)):
                    self.stage.proxy.next(self.chance.choice(ANY), skip=self.chance.randrange(3))
                station.sync()


KINDS = [Refused, Bounded]
