"""
Whether what was heard of a stream, and of the device's records, has an answer to this command. Pure: the time is given.

A device that records its answers says for each command, by its index, what became of it. So each of many commands gets its own
answer, even if they are equal. For any other device, the first point with the commanded value is the answer. A device may also have
stopped recording, with its old records still there: so the value counts there as well, unless a record of some command follows it
soon.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ...protocol import json_text
from ...protocol.answers import Answer
from ...protocol.points import Datapoint

#: Seconds that a record may come after the points that it tells of, as these are written first.
RECORD_AFTER = 1.0


class Answered(NamedTuple):
    """The device obeyed: the point with which it said so."""

    point: Datapoint


class Refused(NamedTuple):
    """The device did not obey, and why."""

    reason: str


Verdict = Answered | Refused


class Hearing:
    """
    Collects what was heard, and tells what it means for one command.

    Args:
        value: What was commanded.
        is_recorded: Whether the device records answers, or once did.
    """

    def __init__(self, value: Any, is_recorded: bool) -> None:
        self._value = json_text.comparable(value)
        self.is_recorded = is_recorded
        self._records: dict[int, Answer] = {}
        self._match: tuple[Datapoint, float] | None = None
        #: The command's index in the downlink, once that is known.
        self.index: int | None = None

    def told(self, points: Iterable[Datapoint], now: float) -> None:
        """Take in points of the stream, in order."""
        if self._match is None:
            found = (point for point in points if json_text.comparable(point.get("d")) == self._value)
            match = next(found, None)
            self._match = None if match is None else (match, now)

    def recorded(self, points: Iterable[Datapoint]) -> None:
        """Take in records, in order; if there are two about one command, the first counts."""
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
        """Return when the verdict may change even if nothing more is heard; ``None`` if it cannot."""
        if self._match is None or not self.is_recorded or self._records:
            return None
        return self._due(self._match)

    def _due(self, match: tuple[Datapoint, float]) -> float:
        return match[1] + RECORD_AFTER
