"""Ctrl-C, in a program that goes on with its Logger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...support.mishaps import lost
from ..station import COUNTED, TIMED, Station
from .kind import Kind


class Interrupted(Kind):
    """Ctrl-C before each line of the Logger's that an insert or a sync executes; the same Logger goes on."""

    name = "interrupted"

    def fault(self, station: Station, number: int) -> None:
        ways: list[Callable[[Station], dict[str, Any]]] = [self._insert, self._insert_many, self._sync, self._sync_lone]
        way = ways[number % len(ways)]
        steps = self.steps_of(station, way.__name__, lambda: self._run(station, way, 0))
        self._run(station, way, 1 + round(self.share(number, len(ways)) * (steps - 1)))

    def _run(self, station: Station, way: Callable[[Station], dict[str, Any]], at: int) -> int:
        process = station.process()
        process.ask(**way(station), at=at, how="interrupt")
        return process.steps

    def _insert(self, station: Station) -> dict[str, Any]:
        return station.logging(COUNTED, 2)

    def _insert_many(self, station: Station) -> dict[str, Any]:
        return station.logging(TIMED, 3)

    def _sync(self, station: Station) -> dict[str, Any]:
        station.log(2)
        return {"do": "sync"}

    def _sync_lone(self, station: Station) -> dict[str, Any]:
        station.log(1, [COUNTED])
        self.stage.proxy.next(lost)
        return {"do": "sync"}


KINDS = [Interrupted]
