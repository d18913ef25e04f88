"""What goes wrong while a device is commanded: around its daemon, and around those who wait for its answers."""

from __future__ import annotations

import random
from typing import ClassVar

from ...support.fault_proxy import is_insert
from ...support.mishaps import answer_cut, answered, lost, request_cut, stored_and
from ...support.saboteur import Fault
from ..lamp import Lamp
from ..stage import Stage
from ..station import Station, Wrong, wait_for
from .catching_up import RestFails
from .kind import Kind
from .network import AtOnce, Cut, Garbage, HalfOpen, Handshake, Stalled
from .servers import ServerKilled, ServerStopped

#: What happens to the daemon's connection.
_PARTS = (AtOnce, Cut, Garbage, HalfOpen, Handshake, RestFails, ServerKilled, ServerStopped, Stalled)

#: What may become of an acknowledgement, a record or a command on its way. Nothing arrives later than it is waited for.
_INSERTS: list[Fault] = [
    lost,
    stored_and(lost),
    stored_and(answered(500, b"<html>Internal Server Error</html>")),
    answered(500, b"<html>Internal Server Error</html>"),
    answered(502, b"<html>Bad Gateway</html>"),
    answered(503, b'{"code":503,"msg":"stopping","ref":"f-1"}', {"Retry-After": "0"}),
    answered(429, b"", {"Retry-After": "0"}),
    answered(401, b'{"code":401,"msg":"Login Failed. Check your username or password","ref":"f-1"}'),
    answered(403, b"<html>Forbidden</html>", {"Content-Type": "text/html"}),
    answered(404, b"<html>Not Found</html>", {"Content-Type": "text/html"}),
    answered(200, b"<html>Welcome to our hotel</html>"),
    request_cut(0.5),
    request_cut(1.0),
    answer_cut(0.0),
    answer_cut(0.5),
]


#: Seconds until an insert must have come by; if there is none, as one was refused, nothing happens to it.
_MET = 0.3


class Commands(Kind):
    """
    A device is commanded, by several at once, and acknowledges, while either side's connections and requests fail.

    Each command is acted on once, and acknowledged once, in order; each call of ``stream.command`` has its own answer, or says truly
    what became of the command. Every other daemon records its answers.
    """

    name = "commands"
    is_owner = True

    #: Faults in turn: of the daemon's connection, of its inserts, of the others' connection, of theirs.
    _WAYS: ClassVar[int] = 4

    def __init__(self, stage: Stage, count: int, chance: random.Random) -> None:
        super().__init__(stage, count, chance)
        self._parts = [part(stage, count, chance) for part in _PARTS if part.needs <= stage.target.powers]
        self._lamps = 0
        self._lamp: Lamp

    def begin(self, station: Station) -> None:
        for part in self._parts:
            part.begin(station)
        # two stations have the same features, one after the other: both kinds of daemons meet both
        lamp = Lamp(self.stage, station.client, f"lamp{self.stage.next_number()}", self._lamps // 2 % 2 == 0)
        self._lamps += 1
        self._lamp = station.at_end(lamp)

    def fault(self, station: Station, number: int) -> None:
        lamp, way, chance = self._lamp, number % self._WAYS, self.chance
        fault = _INSERTS[number // self._WAYS % len(_INSERTS)]
        proxy = {1: self.stage.proxy, 3: lamp.proxy}.get(way)
        before = 0
        if proxy is not None:
            before = proxy.met
            proxy.next(fault, is_insert, skip=chance.choice((0, 0, 1)))
        for _ in range(chance.choice((1, 1, 2, 4))):
            lamp.command(chance.randrange(4), chance.choice((1.0, 3.0)))
        if proxy is not None:
            self.count_seen("met", wait_for(lambda: proxy.met > before, _MET))
            return
        station.beside(0.02 * chance.random())
        if way == 0:
            chance.choice(self._parts).fault(station, chance.randrange(self.count))
        else:
            lamp.proxy.is_away = chance.random() < 0.3
            lamp.proxy.cut_all()
            station.beside(0.02)
        self.stage.recover()

    def check(self, station: Station) -> None:
        wrong = self._lamp.check()
        for what, number in self._lamp.take_counts().items():
            self.count_seen(what, number)
        if wrong:
            raise Wrong("\n".join(wrong))


KINDS = [Commands]
