"""What a disk below the Logger's file does: it is full, or loses what was not flushed."""

from __future__ import annotations

from typing import Any

from ...support.disks import cut_power
from ..process import Killed
from ..station import COUNTED, TIMED, Station, Wrong
from .kind import Kind


class DiskFull(Kind):
    """The disk is full at every write of the Logger's file, while it is opened, logged to and synced; then it has space again."""

    name = "disk-full"
    layer = "full"

    def fault(self, station: Station, number: int) -> None:
        opening = number % 5 == 0
        writes = self.steps_of(station, f"{opening}", lambda: self._run(station, opening, _PLENTY, False))
        after = round(self.share(number) * writes)
        self._run(station, opening, after, number % 2 == 1)

    def _run(self, station: Station, opening: bool, after: int, partly: bool) -> int:
        """Log and sync with a disk that is full after so many writes; return how many there were."""
        failure: str | None = None
        if opening:
            station.kill()
            process = station.bare()
            process.ask("fill", after=after, partly=partly)
            failure = process.ask(**station.opening())
        else:
            process = station.process()
            process.ask("fill", after=after, partly=partly)
        if failure is None:
            commands = [
                station.logging(COUNTED, 2),
                station.logging(TIMED, 3),
                {"do": "sync"},
                station.logging(COUNTED, 1),
                {"do": "sync"},
            ]
            process.ask("several", commands=commands)
        writes = int(process.ask("free"))
        if failure is not None:
            failure = process.ask(**station.opening())
            if failure is not None:
                raise Wrong(f"the file cannot be opened when there is space again: {failure}")
        return writes


class Power(Kind):
    """
    The power is cut at every flush of the Logger's file and at every write before it; of what was not flushed, any part is lost.

    Of three Loggers one promises that what was inserted survives that; of the others' points those may be lost that were
    inserted just before, but none of them may be doubled, or counted wrong.
    """

    name = "power"
    layer = "lossy"
    fresh = 8

    def options(self, number: int) -> dict[str, Any]:
        return {"options": {"durability": ("full", "batched", "normal")[number // 2 % 3]}}

    def fault(self, station: Station, number: int) -> None:
        new = number % self.fresh == 0
        options = station.options
        steps = self.steps_of(station, f"{new} {options}", lambda: self._count(new, options))
        self._run(station, 1 + round(self.share(number) * (steps - 1)))

    def _count(self, new: bool, options: dict[str, Any]) -> int:
        """Return how many steps there are, with a new file or one that has points: those of a Logger to which nothing happens."""
        station = Station(self.stage, self.stage.next_number(), self.timeout, self.layer, options)
        if not new:
            station.log(1)
        steps = self._run(station, 0)
        station.settle(self.allowed)
        station.close()
        return steps

    def _run(self, station: Station, at: int) -> int:
        station.kill()
        process = station.bare()
        before = {flavour: len(book.accepted) for flavour, book in station.books.items()}
        commands: list[dict[str, Any]] = [
            station.opening(),
            station.logging(COUNTED, 2),
            station.logging(TIMED, 2),
            {"do": "sync"},
            station.logging(COUNTED, 1),
        ]
        try:
            process.ask("several", commands=commands, at=at, steps_of="disk")
        except Killed:
            station.kill()
            if station.options["durability"] != "full":
                station.doubt(before)
            cut_power(station.folder, station.durable, self.chance)
        return process.steps


#: More writes than a run has.
_PLENTY = 1_000_000

KINDS = [DiskFull, Power]
