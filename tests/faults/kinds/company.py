"""Clocks that are set, and others who log into the same file, or write to the same stream."""

from __future__ import annotations

import threading
from typing import Any

from ...support.mishaps import afterwards, lost, meanwhile
from ..station import COUNTED, TIMED, Station
from .kind import Kind

_YEARS = 50 * 365.25 * 86400


class Clock(Kind):
    """The wall clock is set forth and back, by seconds or fifty years, at any instant."""

    name = "clock"

    def fault(self, station: Station, number: int) -> None:
        process = station.process()
        steps = [self._step() for _ in range(self.chance.randrange(1, 6))]
        if self.chance.random() < 0.8:
            steps.append(-sum(steps))  # set right in the end
        station.stepped += sum(steps)
        process.ask("step_often", steps=steps, every=self.chance.random() * 0.01)
        for _ in range(self.chance.randrange(1, 4)):
            process.ask(**station.logging(COUNTED, self.chance.choice((1, 3, 10))))
            if self.chance.random() < 0.3:
                process.ask(**station.logging(TIMED, 2))
            if self.chance.random() < 0.5:
                if self.chance.random() < 0.3:
                    self.stage.proxy.next(lost)
                station.sync()
        if self.chance.random() < 0.2:
            station.kill()

    def _step(self) -> float:
        size = self.chance.choice((0.001, 1.0, 3.0, 3600.0, _YEARS))
        return self.chance.choice((-1, 1)) * self.chance.random() * size


class TwoProcesses(Kind):
    """Two processes log into one file, one syncs or both do; now and then one of them is killed."""

    name = "two-processes"

    def fault(self, station: Station, number: int) -> None:
        processes = {who: station.process(who) for who in "ab"}
        for who, process in processes.items():
            commands = [station.logging(COUNTED, self.chance.choice((1, 5, 20)), who) for _ in range(3)]
            if who == "a" or number % 2:
                commands.insert(self.chance.randrange(4), {"do": "sync"})
            process.tell("several", commands=commands)
        killed = self.chance.choice(("", "", "a", "b"))
        if killed:
            threading.Event().wait(self.chance.random() * 0.02)
            station.kill(killed)
        for who, process in processes.items():
            if who != killed:
                process.answer()


class AnotherWriter(Kind):
    """Another writer stores points in the same stream: before, while and after ours are, with times equal, earlier, later."""

    name = "another-writer"
    fresh = 12

    def options(self, number: int) -> dict[str, Any]:
        return {"options": {"on_conflict": ("reject", "restamp")[number // 2 % 2]}}

    def fault(self, station: Station, number: int) -> None:
        self._restamps = station.options["on_conflict"] == "restamp"
        # where times are changed they tell no points apart
        flavour = COUNTED if self._restamps else (COUNTED, TIMED)[number // 6 % 2]
        earlier = self.chance.random() < 0.5

        def write() -> None:
            # at the time of the newest point, or at the present time, which is later than ours that wait
            station.write_as_another(flavour, None if earlier else station.now())

        if self.chance.random() < 0.5:
            write()
        station.log(self.chance.choice((1, 2, 5)), [flavour])
        way = number % 6
        if way == 0:
            write()
        elif way < 5:
            self.stage.proxy.next(
                (meanwhile(write), afterwards(write), meanwhile(write, lost), afterwards(write, lost))[way - 1]
            )
        station.sync()
        if self.chance.random() < 0.3:
            write()

    def allowed(self, point: Any, reason: str) -> bool:
        return not self._restamps and reason.startswith("older than")


KINDS = [Clock, TwoProcesses, AnotherWriter]
