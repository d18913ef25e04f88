"""Decisions that are found to be needed and that the package does not take yet; each goes from here when it does."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from connectordb.logger import plan
from connectordb.logger.last_second import LastSecond
from connectordb.logger.plan import Answer, Attempt, Batch, Step
from connectordb.logger.reading import Reading
from connectordb.logger.records import Held, Note, Row
from connectordb.logger.sending import Sending
from connectordb.protocol import rest
from connectordb.protocol.paths import Path

from .cache import Notes
from .patches import Patch


@dataclass(frozen=True, slots=True)
class _Remembered(Attempt):
    """With what `plan` forgets: that the outcome of a copy was unknown once, whatever was waited for since."""

    doubted: bool = False


def _remembered(attempt: Attempt, doubted: bool) -> Attempt:
    if isinstance(attempt, _Remembered):
        return replace(attempt, doubted=doubted)
    return _Remembered(**{field.name: getattr(attempt, field.name) for field in fields(attempt)}, doubted=doubted)


def _doubted(attempt: Attempt) -> bool:
    return isinstance(attempt, _Remembered) and attempt.doubted


def _found(found: Callable[..., tuple[Step, Attempt]]) -> Any:
    def in_doubt(*arguments: Any) -> tuple[Step, Attempt]:
        step, attempt = found(*arguments)
        return step, _remembered(attempt, True)

    return in_doubt


def _answered(answered: Callable[..., tuple[Step, Attempt]]) -> Any:
    def left_with_its_note(batch: Batch, attempt: Attempt, answer: Answer) -> tuple[Step, Attempt]:
        doubted = _doubted(attempt) or answer is Answer.UNKNOWN
        if answer in (Answer.DENIED, Answer.UNSENT):
            return (Step.STOP if doubted else Step.LEAVE), attempt
        step, after = answered(batch, attempt, answer)
        return step, _remembered(after, doubted)

    return left_with_its_note


def _looked(looked: Callable[..., tuple[Step, Attempt]]) -> Any:
    def remembered(batch: Batch, attempt: Attempt, *arguments: Any, **named: Any) -> tuple[Step, Attempt]:
        step, after = looked(batch, attempt, *arguments, **named)
        return step, _remembered(after, _doubted(attempt))

    return remembered


#: What is denied, or not sent, leaves its note where it is, if a copy was ever in doubt.
NOTE_STAYS = (Patch(plan, "found", _found), Patch(plan, "answered", _answered), Patch(plan, "looked", _looked))


def _rows(rows: Callable[[Any], list[Row]]) -> Any:
    def with_what_was_split_off(self: Any) -> list[Row]:
        file = self._store.file
        return list(self._store.points.rows(self._note.first, max(self._note.last, file.reach), 2**62, 2**62))

    return with_what_was_split_off


def _sent_times(sent_times: Callable[..., Any]) -> Any:
    return lambda self, first, last: sent_times(self, first, max(last, self._cache.file.reach))


#: What was split off is looked for along with what goes first, under all its times.
SPLIT_OFF = (
    Patch(Sending, "_rows", _rows),
    Patch(Notes, "sent_times", _sent_times),
    Patch(Notes, "keeps_all_times", lambda _: True),
)


def _reading(init: Callable[..., None]) -> Any:
    def anchored_by_what_is_older(self: Any, server: Any, path: Any, note: Note | Held, earliest: float) -> None:
        if note.before is not None and note.before >= earliest:
            note = note._replace(before=math.nan) if isinstance(note, Held) else replace(note, before=math.nan)
        init(self, server, path, note, earliest)

    return anchored_by_what_is_older


#: A point before that is not older than all that was sent proves nothing: what was sent lies behind every point that is
#: older, in this stream and in one that was made in its place.
OLDER_ANCHOR = (Patch(Reading, "__init__", _reading),)


def _check(every: bool, as_of_then: bool, once_more: bool) -> Callable[[Any], Any]:
    def check(self: Any, stream: int, server: Any) -> int:
        batches = self._store.held.of(stream)
        asked = self._clock.monotonic()
        lost = _missing(self, batches, server, every)
        if lost and once_more:
            server.call(rest.length(Path.parse(batches[-1].path)))
            self._clock.wait(threading.Event(), plan.WAIT)
            lost = _missing(self, batches, server, True)
        if lost:
            self._store.held.lose(stream, lost)
            for batch in batches:
                self._seen.pop((stream, batch.first), None)
            return len(lost)
        now = self._clock.monotonic()
        for batch in batches:
            if (asked if as_of_then else now) - self._seen.setdefault((stream, batch.first), now) >= plan.WAIT:
                self._store.held.release(batch)
                del self._seen[stream, batch.first]
        return 0

    return lambda _: check


def _missing(self: Any, batches: list[Held], server: Any, every: bool) -> list[int]:
    """Return the ids of the rows of *batches* that are not on the server, which is asked for the newest first."""
    lost: list[int] = []
    for batch in reversed(batches):
        missing = self._missing(self._where(batch, server), batch)
        if not missing and not every:
            break
        lost[:0] = missing
    return lost


#: The rules that are ahead.
RULES = {
    "older anchor": OLDER_ANCHOR,
    "split off": SPLIT_OFF,
    "note stays": NOTE_STAYS,
    "every held batch": (),
    "age when asked": (),
    "looked once more": (),
}


def patches(without: str) -> list[Patch]:
    """Return what puts them in place, but for one."""
    check = _check(without != "every held batch", without != "age when asked", without != "looked once more")
    return [patch for name, parts in RULES.items() if name != without for patch in parts] + [
        Patch(LastSecond, "check", check)
    ]
