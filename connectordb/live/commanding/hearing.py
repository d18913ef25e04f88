"""
What was heard of a stream and of the device's records: is there an answer to this command? Pure, given the time.

A device that records its answers says of each command by its index what became of it, so that of many at once, equal ones too, each
gets its own. Of another device nothing is known but what it does: the first point with the commanded value is the answer. A
device may have stopped recording, and its old records still be there: so the value counts there as well, if no record of
whatever command follows it soon.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ...protocol import json_text
from ...protocol.answers import Answer
from ...protocol.points import Datapoint

#: Seconds that a record may come after the points that it tells of, which are written first.
RECORD_AFTER = 1.0


class Answered(NamedTuple):
    """The device did it: the point with which it said so."""

    point: Datapoint


class Refused(NamedTuple):
    """The device did not do it, and why."""

    reason: str


Verdict = Answered | Refused


class Hearing:
    """
    Args:
        value: What was commanded.
        is_recorded: Whether the device has recorded answers, now or in former times.
    """

    def __init__(self, value: Any, is_recorded: bool) -> None:
        self._value = json_text.comparable(value)
        self.is_recorded = is_recorded
        self._records: dict[int, Answer] = {}
        self._match: tuple[Datapoint, float] | None = None
        #: Where the command stands in the downlink, once that is known.
        self.index: int | None = None

    def told(self, points: Iterable[Datapoint], now: float) -> None:
        """Take in points of the stream, in order."""
        if self._match is None:
            found = (point for point in points if json_text.comparable(point.get("d")) == self._value)
            match = next(found, None)
            self._match = None if match is None else (match, now)

    def recorded(self, points: Iterable[Datapoint]) -> None:
        """Take in records, in order; of two about one command the first counts."""
        for point in points:
            record = Answer.read(point.get("d"))
            if record is not None:
                self._records.setdefault(record.command, record)

    def verdict(self, now: float) -> Verdict | None:
        """Return what is known to have become of the command; ``None`` as long as nothing is."""
        record = None if self.index is None else self._records.get(self.index)
        if record is not None:
            if not record.is_done:
                return Refused(record.reason or f"the device recorded {record.outcome!r}, and no reason")
            if record.answer:
                return Answered(record.answer[-1])
        if self._match is not None and (not self.is_recorded or (not self._records and now >= self._due(self._match))):
            return Answered(self._match[0])
        return None

    def due(self) -> float | None:
        """Return when the verdict may change though nothing is heard; ``None`` if it does not."""
        if self._match is None or not self.is_recorded or self._records:
            return None
        return self._due(self._match)

    def _due(self, match: tuple[Datapoint, float]) -> float:
        return match[1] + RECORD_AFTER
