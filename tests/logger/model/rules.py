"""What the Logger keeps to, and what it would be without each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from connectordb.exceptions import ConnectorDBError, ResponseError
from connectordb.logger.plan import Answer, Attempt, Batch, Step

from .ahead import Ahead
from .cache import Cache
from .deciders import Deciders
from .world import Batch as Rows
from .world import State, noted


@dataclass(frozen=True)
class Rule:
    """
    A rule.

    Attributes:
        text: What it says.
        deciders: The decisions without it.
        cache: The file without it.
        ahead: The package does not keep to it yet: see `ahead` and `cache`.
    """

    text: str
    deciders: Callable[[], Deciders] = Ahead
    cache: Callable[[], Cache] = Cache
    ahead: bool = False


class _NoNote(Cache):
    def opened(self, s: State) -> State:
        return s._replace(note=None, times=(), sent=False)


class _NoSettling(Ahead):
    def found(self, batch: Batch, unknown: int) -> tuple[Step, Attempt]:
        return Step.SEND, Attempt(tried=True)

    def answered(self, batch: Batch, attempt: Attempt, answer: Answer) -> tuple[Step, Attempt]:
        if answer is Answer.UNKNOWN:
            return Step.SEND, replace(attempt, tried=True)
        return super().answered(batch, attempt, answer)


class _NoAnchor(Ahead):
    def anchored(self, s: State) -> tuple[int, float | None]:
        length = min(s.note.length if s.note else 0, len(s.stream))
        return length, s.stream[length - 1][0] if length else None


class _RefusedForAge(Ahead):
    def answered(self, batch: Batch, attempt: Attempt, answer: Answer) -> tuple[Step, Attempt]:
        if answer is Answer.OLDER:
            return Step.SET_ASIDE, attempt
        return super().answered(batch, attempt, answer)


class _EveryRefusal(Ahead):
    def judge(self, error: ConnectorDBError | None) -> Answer:
        answer = super().judge(error)
        return Answer.REFUSED if answer is Answer.UNKNOWN and isinstance(error, ResponseError) else answer


class _NoLoneWait(Ahead):
    def found(self, batch: Batch, unknown: int) -> tuple[Step, Attempt]:
        step, attempt = super().found(batch, unknown)
        return (Step.READ if step is Step.WAIT else step), attempt

    def answered(self, batch: Batch, attempt: Attempt, answer: Answer) -> tuple[Step, Attempt]:
        step, after = super().answered(batch, attempt, answer)
        return (Step.READ if answer is Answer.UNKNOWN else step), after

    def looked(self, batch: Batch, attempt: Attempt, any_found: bool, newest: float) -> tuple[Step, Attempt]:
        if batch.count == 1:
            attempt = replace(attempt, tried=False)
        return super().looked(batch, attempt, any_found, newest)


class _NoReshapedWait(Ahead):
    def answered(self, batch: Batch, attempt: Attempt, answer: Answer) -> tuple[Step, Attempt]:
        if answer is Answer.REFUSED:
            attempt = replace(attempt, tried=False)
        return super().answered(batch, attempt, answer)

    def looked(self, batch: Batch, attempt: Attempt, any_found: bool, newest: float) -> tuple[Step, Attempt]:
        return super().looked(batch, replace(attempt, tried=False), any_found, newest)


class _NoAnswerAwaited(Ahead):
    waits_for_an_answer = False


class _NoMove(Ahead):
    def looked(self, batch: Batch, attempt: Attempt, any_found: bool, newest: float) -> tuple[Step, Attempt]:
        step, attempt = super().looked(batch, attempt, any_found, newest)
        return (Step.SEND if step is Step.MOVE else step), attempt

    def halved(self, left: int) -> Step:
        return Step.SEND


class _AnyAnchor(Ahead):
    def anchored(self, s: State) -> tuple[int, float | None]:
        return Deciders.anchored(self, s)


class _NoteGoes(Ahead):
    def answered(self, batch: Batch, attempt: Attempt, answer: Answer) -> tuple[Step, Attempt]:
        step, after = super().answered(batch, attempt, answer)
        return (Step.LEAVE if step is Step.STOP and not attempt.tried else step), after


class _TryOn(Ahead):
    def answered(self, batch: Batch, attempt: Attempt, answer: Answer) -> tuple[Step, Attempt]:
        step, after = super().answered(batch, attempt, answer)
        # a lone point would get ever later times
        return (Step.READ if step is Step.STOP and answer is Answer.DENIED and batch.count > 1 else step), after


class _SplitOffForgotten(Cache):
    def looked_for(self, s: State) -> Rows:
        return noted(s)


class _NoPush(Cache):
    pushes = False


class _LatestTimeOnly(Cache):
    def sent_times(self, s: State) -> dict[str, list[float]]:
        return {}


class _LastTimeForgotten(Cache):
    def floor(self, s: State) -> float:
        return s.rows[-1][0] if s.rows else 0.0


class _ConfirmByTime(Ahead):
    def confirm(self, cache: Cache, s: State, ids: str) -> State:
        return cache.resolve(s, [v for t, v in s.rows if s.stream and t <= s.stream[-1][0]])


#: Nothing is left out.
ALL = Rule("all of them")

RULES: dict[str, Rule] = {
    "note": Rule("a batch is written down before it is sent, with the stream's length before it", cache=_NoNote),
    "settle": Rule(
        "an unknown outcome is settled by reading from that length on, before anything is sent again",
        _NoSettling,
    ),
    "anchor": Rule(
        "if the point before that length is no longer the one that was noted, the stream is read from its start",
        _NoAnchor,
    ),
    "older anchor": Rule(
        "that point proves something only if it is older than all that was sent; else the stream is read from its start",
        _AnyAnchor,
        ahead=True,
    ),
    "refusals are read for": Rule(
        "a refusal for age of what may have been sent before is settled by reading as well",
        _RefusedForAge,
    ),
    "certain refusals": Rule(
        "any answer but 'ok' and the refusals that are known to come before storing is an unknown outcome",
        _EveryRefusal,
    ),
    "lone waits": Rule("a lone point with unknown outcome is read for after the wait", _NoLoneWait),
    "reshaped waits": Rule(
        "what may have been sent goes again in the same shape; in another, or aside, only after the wait and a reading",
        _NoReshapedWait,
    ),
    "wait for an answer": Rule(
        "the wait begins when the connection is closed and the server has answered another request",
        _NoAnswerAwaited,
    ),
    "lone moves": Rule(
        "a lone point that goes again, alone or split off what was sent, gets the next larger time",
        _NoMove,
    ),
    "moves push": Rule("a move pushes the rows behind it along", cache=_NoPush),
    "all its times": Rule(
        "a point is looked for under every time it was sent with since the note was made",
        cache=_LatestTimeOnly,
    ),
    "split off": Rule(
        "what was split off is looked for along with what goes first",
        cache=_SplitOffForgotten,
        ahead=True,
    ),
    "note stays": Rule(
        "if a copy was ever in doubt, no connection and no right to write leave the note where it is",
        _NoteGoes,
        ahead=True,
    ),
    "denied ends": Rule("what is denied ends the pass, also if an earlier copy is in doubt", _TryOn, ahead=True),
    "last time kept": Rule(
        "times of a stream increase strictly over all that was ever accepted; the last is kept in the file",
        cache=_LastTimeForgotten,
    ),
    "confirm by id": Rule(
        "exactly the rows that were found are taken off, in the transaction that drops the note",
        _ConfirmByTime,
    ),
}
