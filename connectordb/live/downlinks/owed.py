"""What is owed: inserts that have to be made, each once, and that can be noted in a file until then. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...protocol import restamp
from ...protocol.answers import Answer
from ...protocol.constants import RESTAMP_STEP
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ...protocol.settle import Sent


@dataclass(frozen=True, slots=True)
class Owed:
    """
    One insert.

    Attributes:
        path: The stream.
        points: The points, with the times that they are sent with now; the next copy may have later times.
        key: Its idempotency key.
        since: When it was first noted, by this machine's clock.
        before: The stream's length before the first copy that was sent without the key; `None` if there was no such copy yet.
        earlier: The times of the points in each earlier copy.
    """

    path: Path
    points: tuple[Datapoint, ...]
    key: str
    since: float
    before: int | None = None
    earlier: tuple[tuple[float, ...], ...] = ()

    @property
    def sent(self) -> list[Sent]:
        """What to look for in the stream: each value, with all times that it was sent with."""
        copies = (*self.earlier, tuple(point["t"] for point in self.points))
        return [Sent(times, point["d"]) for times, point in zip(zip(*copies, strict=True), self.points, strict=True)]

    @property
    def span(self) -> tuple[float, float]:
        """The times between which all copies of its points lie: after the first, and up to the second."""
        times = [time for sent in self.sent for time in sent.times]
        return math.nextafter(min(times), -math.inf), max(times)

    def above(self, newest: float) -> Owed:
        """Return it with the times that a server would give it if the stream's newest point is later."""
        return self._with_times(restamp.restamped(self.points, newest))

    def moved(self) -> Owed:
        """Return it with times a step later, so that an earlier copy which arrives after it is refused as older."""
        return self._with_times([{**point, "t": _later(point["t"])} for point in self.points])

    def _with_times(self, points: Sequence[Datapoint]) -> Owed:
        times = tuple(point["t"] for point in self.points)
        return replace(self, points=tuple(points), earlier=(*self.earlier, times))

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "path": str(self.path),
            "points": list(self.points),
            "key": self.key,
            "since": self.since,
            "before": self.before,
            "earlier": [list(times) for times in self.earlier],
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Owed:
        """Return what was noted."""
        return cls(
            Path.parse(told["path"]),
            tuple(told["points"]),
            told["key"],
            told["since"],
            told["before"],
            tuple(tuple(times) for times in told["earlier"]),
        )


def _later(time: float) -> float:
    return max(time + RESTAMP_STEP, math.nextafter(time, math.inf))


@dataclass(frozen=True, slots=True)
class Debt:
    """
    What is owed for one command: its acknowledgement, then the record of what became of it.

    Attributes:
        command: The command's index; `None` if it has none.
        acknowledgement: The insert into the stream, if any.
        record: The insert into the companion, if any. Before it is first sent, `acknowledged` brings the times in it up to date that
            the acknowledgement was stored with.
    """

    command: int | None
    acknowledgement: Owed | None = None
    record: Owed | None = None

    def __bool__(self) -> bool:
        return self.acknowledgement is not None or self.record is not None

    def acknowledged(self) -> Debt:
        """Return what is owed after the acknowledgement."""
        assert self.acknowledgement is not None
        return replace(self, acknowledgement=None, record=self._record(answer=self.acknowledgement.points))

    def not_acknowledged(self, outcome: str, reason: str) -> Debt:
        """Return what is owed after the server has refused the acknowledgement."""
        return replace(self, acknowledgement=None, record=self._record(outcome=outcome, answer=(), reason=reason))

    def _record(self, **changes: Any) -> Owed | None:
        if self.record is None:
            return None
        (point,) = self.record.points
        answer = Answer.read(point["d"])
        assert answer is not None, point
        # with the same time and key as before, so that doing this twice, as after a kill, writes the same
        return replace(self.record, points=({**point, "d": replace(answer, **changes).value()},))

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "command": self.command,
            "acknowledgement": None if self.acknowledgement is None else self.acknowledgement.to_json(),
            "record": None if self.record is None else self.record.to_json(),
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Debt:
        """Return what was noted."""
        parts = [None if part is None else Owed.from_json(part) for part in (told["acknowledgement"], told["record"])]
        return cls(told["command"], *parts)
