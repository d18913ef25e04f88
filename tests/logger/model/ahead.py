"""Decisions that are found to be needed and that the package does not take yet; each goes from here when it does."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from connectordb.logger.plan import Answer, Attempt, Batch, Step

from .deciders import Deciders
from .world import State, once_sent


@dataclass(frozen=True, slots=True)
class _Remembered(Attempt):
    """With what `plan` forgets: that the outcome of a copy was unknown once, whatever was waited for since."""

    doubted: bool = False


class Ahead(Deciders):
    """The decisions, with those that are to come."""

    def found(self, batch: Batch, unknown: int) -> tuple[Step, Attempt]:
        """As `plan.found`."""
        step, attempt = super().found(batch, unknown)
        return step, _remembered(attempt, True)

    def answered(self, batch: Batch, attempt: Attempt, answer: Answer) -> tuple[Step, Attempt]:
        """As `plan.answered`, but what is denied or not sent is left with its note if a copy was ever in doubt."""
        doubted = _doubted(attempt) or answer is Answer.UNKNOWN
        if answer in (Answer.DENIED, Answer.UNSENT):
            return (Step.STOP if doubted else Step.LEAVE), attempt
        step, after = super().answered(batch, attempt, answer)
        return step, _remembered(after, doubted)

    def looked(self, batch: Batch, attempt: Attempt, any_found: bool, newest: float) -> tuple[Step, Attempt]:
        """As `plan.looked`, and remembered for a half as well."""
        step, after = super().looked(batch, attempt, any_found, newest)
        return step, _remembered(after, _doubted(attempt))

    def anchored(self, s: State) -> tuple[int, float | None]:
        """
        As `reading.read_from`, but a point before that is not older than all that was sent proves nothing.

        What was sent lies behind every point that is older, in this stream and in one that was made in its place.
        """
        length, before = super().anchored(s)
        sent = [t for t, _ in (*once_sent(s), *s.times)]
        return (length, before) if before is None or before < min(sent) else (0, None)


def _doubted(attempt: Attempt) -> bool:
    return isinstance(attempt, _Remembered) and attempt.doubted


def _remembered(attempt: Attempt, doubted: bool) -> Attempt:
    if isinstance(attempt, _Remembered):
        return replace(attempt, doubted=doubted)
    return _Remembered(**{field.name: getattr(attempt, field.name) for field in fields(attempt)}, doubted=doubted)
