"""``kill -9`` of the process that logs, and of the one that syncs."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

from ...support.mishaps import answered, lost, stored_and
from ..process import Killed
from ..stage import Stage
from ..station import COUNTED, TIMED, Station
from .kind import Kind


class LoggingKilled(Kind):
    """The process that logs is killed at random instants, from before the file is open on; now and then while it syncs, too."""

    name = "logging-killed"

    def fault(self, station: Station, number: int) -> None:
        station.kill()
        process = station.bare()
        if self.chance.random() < 0.3:  # eight threads at once
            crowd = [station.logging(COUNTED, 40, beside=True) for _ in range(8)]
            commands: list[dict[str, Any]] = [{"do": "crowd", "commands": crowd}]
        else:
            sizes = [self.chance.choice((1, 3, 40)) for _ in range(9)]
            commands = [station.logging(self.chance.choice((COUNTED, TIMED)), size) for size in sizes]
        if self.chance.random() < 0.3:
            commands.insert(self.chance.randrange(len(commands)), {"do": "sync_beside"})
        if number % 5:
            process.ask(**station.opening())
        else:
            commands.insert(0, station.opening())
        process.tell("several", commands=commands)
        threading.Event().wait(self.chance.random() * self.chance.choice((0.005, 0.02, 0.05)))
        station.kill()


class SyncingKilled(Kind):
    """
    The process that syncs is killed before each line of the Logger's that a sync executes, in several situations.

    How many lines that are is counted in a first sync of each; a run of fewer faults takes every n-th.
    """

    name = "syncing-killed"

    def __init__(self, stage: Stage, count: int, chance: random.Random) -> None:
        super().__init__(stage, count, chance)
        self._situations: list[Callable[[Station], None]] = [
            self._batch,
            self._lone,
            self._batch_lost,
            self._lone_lost,
            self._lone_stored,
            self._batch_stored,
            self._halved,
            self._refused,
        ]

    def fault(self, station: Station, number: int) -> None:
        ways = len(self._situations)
        prepare = self._situations[number % ways]
        steps = self.steps_of(station, prepare.__name__, lambda: self._run(station, prepare, 0))
        self._run(station, prepare, 1 + round(self.share(number, ways) * (steps - 1)))

    def _run(self, station: Station, prepare: Callable[[Station], None], at: int) -> int:
        station.kill()
        process = station.process()
        prepare(station)
        try:
            process.ask("sync", at=at)
        except Killed:
            station.kill()
        return process.steps

    def allowed(self, point: Any, reason: str) -> bool:
        return reason.startswith("refused by the server: too large")

    def _batch(self, station: Station) -> None:
        station.log(3)

    def _lone(self, station: Station) -> None:
        station.log(1, [TIMED])

    def _batch_lost(self, station: Station) -> None:
        station.log(3, [COUNTED])
        self.stage.proxy.next(lost)

    def _lone_lost(self, station: Station) -> None:
        station.log(1, [COUNTED])
        self.stage.proxy.next(lost)

    def _lone_stored(self, station: Station) -> None:
        station.log(1, [COUNTED])
        self.stage.proxy.next(stored_and(lost))

    def _batch_stored(self, station: Station) -> None:
        station.log(3, [TIMED])
        self.stage.proxy.next(stored_and(answered(500, b"<html>", {})))

    def _halved(self, station: Station) -> None:
        station.log(4, [COUNTED])
        self.stage.proxy.next(TOO_LARGE)

    def _refused(self, station: Station) -> None:
        station.log(1, [TIMED])
        self.stage.proxy.next(TOO_LARGE)


_REFUSAL: dict[str, Any] = {"Content-Type": "application/json"}
TOO_LARGE = answered(413, b'{"code":413,"msg":"too large","ref":"1"}', _REFUSAL)


KINDS = [LoggingKilled, SyncingKilled]
