"""A run of one kind of fault, from its first subscriptions to its last."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from connectordb import ConnectorDBError

from ..support.fault_command import Order
from .kinds import Kind
from .stage import Stage
from .station import Station, Wrong

#: Faults with something wrong after which a kind is given up.
_ENOUGH = 3


@dataclass
class Outcome:
    """What came of a kind."""

    faults: int = 0
    points: int = 0
    handed_on: int = 0
    caught_up: int = 0
    connections: int = 0
    seen: dict[str, float] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        seen = "".join(f", {value} {what}" for what, value in self.counted.items())
        seen += "".join(f", {what} {value:.2f} s" for what, value in self.seen.items())
        return (
            f"{self.faults} faults, {self.points} points stored, {self.handed_on} handed on, {self.caught_up} of them caught up, "
            f"{self.connections} connections{seen}, {len(self.wrong)} wrong"
        )


def run(
    kind: type[Kind],
    stage: Stage,
    order: Order,
    enough: int = _ENOUGH,
    patience: float = 10.0,
) -> Outcome:
    """
    Have faults of a kind, and check after each.

    Args:
        kind: Which.
        stage: Where.
        order: How many, and what is random.
        enough: How many may be wrong before this ends.
        patience: Seconds within which all has to come.
    """
    chance = random.Random(f"{order.seed} {kind.name}")
    play = kind(stage, order.count, chance)
    features = order.turns
    outcome = Outcome(seen=play.seen, counted=play.counted)
    station: Station | None = None
    stations = 0
    for number in range(order.count):
        if order.is_over:
            break
        outcome.faults += 1
        try:
            if station is None or number % kind.fresh == 0:
                finish(station, outcome)
                station = None
                stage.proxy.announces = features[stations % len(features)]
                stations += 1
                station = Station(stage, chance, patience, kind.undisturbed, kind.is_owner)
                play.begin(station)
            play.fault(station, number)
            station.settle()
            play.check(station)
        except (Wrong, AssertionError, ConnectorDBError) as error:
            what = "" if isinstance(error, Wrong) else f"{type(error).__name__}: "
            outcome.wrong.append(
                f"{kind.name}, fault {number} of {order.count}, seed {order.seed}, features {'on' if stage.proxy.announces else 'off'}:\n"
                f"{what}{error}"
            )
            finish(station, outcome)
            station = None
            if len(outcome.wrong) >= enough:
                break
    finish(station, outcome)
    return outcome


def finish(station: Station | None, outcome: Outcome) -> None:
    """End subscriptions, and count what they had."""
    if station is None:
        return
    try:
        station.close()
    except Wrong as error:
        outcome.wrong.append(f"at the end of a client:\n{error}")
    outcome.points += station.points
    outcome.connections += station.connections
    for watch in station.watches:
        outcome.handed_on += len(watch.told)
        outcome.caught_up += watch.caught_up
