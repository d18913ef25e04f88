"""Everything at once."""

from __future__ import annotations

from typing import Any

from ...support.mishaps import ANY, afterwards, lost, meanwhile
from ...support.saboteur import Exchange, any_request
from ..process import Killed
from ..station import COUNTED, TIMED, Station
from .kind import Kind

_DAY = 86400.0


class Mixed(Kind):
    """Several of the other faults, in any order, one into the other: each is settled while the next happens."""

    name = "mixed"
    timeout = 0.3

    def fault(self, station: Station, number: int) -> None:
        happenings = (self._log, self._log, self._break, self._break, self._sync, self._sync, self._kill, self._write)
        more = (self._set_clock, self._let_pass, self._kill_server, self._make_anew, self._announce)
        for _ in range(self.chance.randrange(3, 12)):
            self.chance.choice(happenings if self.chance.random() < 0.8 else more)(station)
        station.sync()

    def _log(self, station: Station) -> None:
        self.some(station)

    def _sync(self, station: Station) -> None:
        station.sync()
        self.stage.recover()

    def _break(self, station: Station) -> None:
        fault = self.chance.choice(ANY)
        if self.chance.random() < 0.1:
            fault = meanwhile(lambda: self._write(station), fault)
        elif self.chance.random() < 0.1:
            fault = afterwards(lambda: self._write(station), lost)
        if self.chance.random() < 0.2:
            self.stage.proxy.next(fault, any_request, skip=self.chance.randrange(6))
        else:
            self.stage.proxy.next(fault, skip=self.chance.randrange(2))

    def _kill(self, station: Station) -> None:
        try:
            station.process().ask("sync", at=self.chance.randrange(1, 900))
        except Killed:
            station.kill()

    def _write(self, station: Station) -> None:
        self.stage.recover()
        if self.chance.random() < 0.3:
            station.write_as_another(self.chance.choice((COUNTED, TIMED)))

    def _set_clock(self, station: Station) -> None:
        seconds = (self.chance.random() - 0.5) * self.chance.choice((1.0, 60.0, 20_000 * _DAY))
        station.process().ask("step", seconds=seconds)
        station.stepped += seconds

    def _let_pass(self, station: Station) -> None:
        station.let_pass(self.chance.choice((1.0, 11.0, 700.0)))

    def _kill_server(self, station: Station) -> None:
        if "kill" in self.stage.target.powers:
            self.stage.proxy.next(self._killed, any_request)

    def _make_anew(self, station: Station) -> None:
        self.stage.recover()
        station.make_anew(self.chance.choice((COUNTED, TIMED)))

    def _announce(self, station: Station) -> None:
        self.stage.proxy.announces = self.stage.announces and not self.stage.proxy.announces

    def _killed(self, exchange: Exchange) -> bool:
        self.stage.target.kill()
        return False

    def allowed(self, point: Any, reason: str) -> bool:
        return reason.startswith("older than")


KINDS = [Mixed]
