"""A run of one kind of fault, from its first Logger to its last."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from connectordb import ConnectorDBError

from ..support.fault_command import Order
from .channel import Hung
from .kinds import Kind
from .process import Ended
from .stage import Stage
from .station import Station, Wrong

#: Faults with something wrong after which a kind is given up.
_ENOUGH = 3


@dataclass
class Outcome:
    """What came of a kind."""

    faults: int = 0
    points: int = 0
    aside: int = 0
    gone: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.faults} faults, {self.points} points accepted, {self.aside} set aside, {self.gone} gone with their "
            f"stream, {len(self.wrong)} wrong"
        )


def run(kind: type[Kind], stage: Stage, order: Order, enough: int = _ENOUGH) -> Outcome:
    """
    Have faults of a kind, and check after each.

    Args:
        kind: Which.
        stage: Where.
        order: How many, and what is random.
        enough: How many may be wrong before this ends.
    """
    play = kind(stage, order.count, random.Random(f"{order.seed} {kind.name}"))
    outcome = Outcome()
    station: Station | None = None
    turns = order.turns
    stations = 0
    for number in range(order.count):
        if order.is_over:
            break
        if station is None or number % kind.fresh == 0:
            finish(station, outcome)
            stage.proxy.announces = stage.announces and kind.announced and turns[stations % len(turns)]
            options = play.options(stations)
            stations += 1
            station = Station(stage, stage.next_number(), kind.timeout, kind.layer, **options)
            play.begin(station)
        try:
            play.fault(station, number)
            station.settle(play.allowed)
        except (Wrong, Ended, Hung, ConnectorDBError) as error:
            where = f"{kind.name}, fault {number} of {order.count}, seed {order.seed}, file {station.file}"
            outcome.wrong.append(
                f"{where}:\n{type(error).__name__}: {error}" if not isinstance(error, Wrong) else f"{where}:\n{error}"
            )
            finish(station, outcome)
            station = None
            if len(outcome.wrong) == enough:
                break
        outcome.faults += 1
    finish(station, outcome)
    return outcome


def finish(station: Station | None, outcome: Outcome) -> None:
    """End a Logger, and count what it had."""
    if station is None:
        return
    station.stage.calm()
    station.close()
    for book in station.books.values():
        outcome.points += len(book.accepted)
        outcome.aside += len(book.aside)
        outcome.gone += len(book.gone)
