"""What the Logger keeps to, and what it would be without each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from connectordb.exceptions import ConnectorDBError, ResponseError
from connectordb.logger.sync import plan, sending
from connectordb.logger.sync.last_second import LastSecond
from connectordb.logger.sync.passes import Pass
from connectordb.logger.sync.plan import Attempt, Batch, Step
from connectordb.logger.sync.reading import Reading, newest_time
from connectordb.logger.sync.sending import Context, Sending
from connectordb.protocol.paths import Path
from connectordb.protocol.proof import Answer

from . import surroundings
from .cache import Corrections, File, Notes
from .patches import Patch

_Steps = tuple[Step, Attempt]


@dataclass(frozen=True)
class Rule:
    """
    A rule.

    Attributes:
        text: What it says.
        patches: The Logger without it.
        by_the_clock: Without it the wait is over when it is over, whatever the server does meanwhile.
    """

    text: str
    patches: tuple[Patch, ...] = ()
    by_the_clock: bool = False


def _no_note(_: Any) -> Any:
    return lambda file: file._replace(note=None, times=())


def _no_settling_of_a_note(_: Any) -> Any:
    return lambda *_: (Step.SEND, Attempt(tried=True))


def _no_settling(answered: Callable[..., _Steps]) -> Any:
    def sends_again(batch: Batch, attempt: Attempt, answer: Answer) -> _Steps:
        if answer is Answer.UNKNOWN:
            return Step.SEND, replace(attempt, tried=True)
        return answered(batch, attempt, answer)

    return sends_again


def _no_anchor(_: Any) -> Any:
    def from_the_length_on(self: Any) -> Any:
        self.anchored = True
        yield self._points(self._note.length, self._note.length + 5000)

    return from_the_length_on


def _aside_for_age(answered: Callable[..., _Steps]) -> Any:
    def believes_it(batch: Batch, attempt: Attempt, answer: Answer) -> _Steps:
        return (Step.SET_ASIDE, attempt) if answer is Answer.OLDER else answered(batch, attempt, answer)

    return believes_it


def _every_refusal(judge: Callable[..., Answer]) -> Any:
    def believes_all(error: ConnectorDBError | None) -> Answer:
        answer = judge(error)
        return Answer.REFUSED if answer is Answer.UNKNOWN and isinstance(error, ResponseError) else answer

    return believes_all


def _read_at_once(before: Callable[..., _Steps]) -> Any:
    def no_wait(batch: Batch, *arguments: Any) -> _Steps:
        step, after = before(batch, *arguments)
        return (Step.READ if step is Step.WAIT and batch.count == 1 else step), after

    return no_wait


def _untried_if_lone(looked: Callable[..., _Steps]) -> Any:
    def forgetful(batch: Batch, attempt: Attempt, *arguments: Any) -> _Steps:
        return looked(batch, replace(attempt, tried=False) if batch.count == 1 else attempt, *arguments)

    return forgetful


def _untried_if_refused(answered: Callable[..., _Steps]) -> Any:
    def forgetful(batch: Batch, attempt: Attempt, answer: Answer) -> _Steps:
        return answered(batch, replace(attempt, tried=False) if answer is Answer.REFUSED else attempt, answer)

    return forgetful


def _untried(looked: Callable[..., _Steps]) -> Any:
    return lambda batch, attempt, *arguments: looked(batch, replace(attempt, tried=False), *arguments)


def _wait_by_the_clock(_: Any) -> Any:
    return lambda self, server, path: self._clock.wait(self._stopping, self._wait)


def _no_move(_: Any) -> Any:
    return lambda self, note: self.write(note)


def _latest_time_only(_: Any) -> Any:
    return lambda *_: {}


def _after_what_waits(add: Callable[..., File]) -> Any:
    def forgetful(self: File, t: float, d: str) -> File:
        last = self.waiting()[-1].t if self.waiting() else 0.0
        return add(self._replace(last=last), t, d)

    return forgetful


def _confirm_by_time(_: Any) -> Any:
    def confirm(self: Any, server: Any, note: Any, ids: Any, count: int, then: Any = None) -> Any:
        newest = newest_time(server, Path.parse(note.path))
        rows = self.store.points.rows(0, 2**62, 2**62, 0)
        return self.store.notes.resolve(note.stream, [row.id for row in rows if row.t <= newest], then=then)

    return confirm


def _tried_on(answered: Callable[..., _Steps]) -> Any:
    def hammers(batch: Batch, attempt: Attempt, answer: Answer) -> _Steps:
        # a lone point would get ever later times
        if answer is Answer.DENIED and attempt.tried and batch.count > 1:
            return Step.READ, attempt
        return answered(batch, attempt, answer)

    return hammers


def _takes_off(_: Any) -> Any:
    return lambda self, server, note, ids, count, then=None: self.store.notes.resolve(note.stream, ids, then=then)


def _seen_long_ago(since: Callable[..., list[float]]) -> Any:
    return lambda *arguments: [then - 100.0 for then in since(*arguments)]


def _whatever_waits(_: Any) -> Any:
    return lambda self, stream, ids: bool(ids) and ids[-1] - ids[0] + 1 == len(ids)


def _all_there(_: Any) -> Any:
    return lambda *_: []


def _in_any_order(settle: Callable[..., None]) -> Any:
    return lambda self, path, note, in_order: settle(self, path, note, True)


def _follows(_: Any) -> Any:
    return lambda self: True


def _any_anchor(pages: Callable[..., Any]) -> Any:
    def whatever_its_time(self: Any) -> Any:
        points = self._points(self._note.length - 1, self._note.length + 5000) if self._note.length else []
        if points and points[0]["t"] == self._note.before:
            self.anchored = True
            return iter([points])
        return pages(self)

    return whatever_its_time


def _nothing_kept(_: Any) -> Any:
    return lambda self, first, last: None


def _undoubted(answered: Callable[..., _Steps]) -> Any:
    def forgetful(batch: Batch, attempt: Attempt, answer: Answer) -> _Steps:
        return answered(batch, replace(attempt, doubted=attempt.tried), answer)

    return forgetful


def _always(_: Any) -> Any:
    return lambda *_: True


def _age_when_answered(release: Callable[..., None]) -> Any:
    return lambda self, stream, batches, asked: release(self, stream, batches, self._clock.monotonic())


def _lost_at_once(lost: Callable[..., list[int]]) -> Any:
    def looked_at_once(self: Any, batches: Any, server: Any, every: bool = False) -> list[int]:
        if not every:
            self.first_look = lost(self, batches, server, every=True)
        return list(self.first_look)

    return looked_at_once


def _knew_it_once(_: Any) -> Any:
    return property(lambda self: self._note.key is not None)


def _unread(answered: Callable[..., _Steps]) -> Any:
    def again_at_once(batch: Batch, attempt: Attempt, answer: Answer) -> _Steps:
        if answer is Answer.UNKNOWN and attempt.keyed:
            return Step.SEND, replace(attempt, tried=True)
        return answered(batch, attempt, answer)

    return again_at_once


def _unread_note(found: Callable[..., _Steps]) -> Any:
    def again_at_once(batch: Batch, unknown: int, keyed: bool = False) -> _Steps:
        return (Step.SEND, Attempt(tried=True, keyed=True)) if keyed else found(batch, unknown, keyed)

    return again_at_once


def _other_name(_: Any) -> Any:
    def send(self: Any) -> Any:
        self._note = replace(self._note, key=sending.new_key(self._server))
        return original(self)

    original = _
    return send


def _noted_as_well(corrected: Callable[..., File]) -> Any:
    return lambda self, file, begin: corrected(self, file, file.held_up_to + 1)


def _correct_before_settling(serve: Callable[..., None]) -> Any:
    def serve_right_rows(self: Any, stream: Any, path: Any, upto: int) -> None:
        self._corrections.ready(stream.id, 0, upto)
        serve(self, stream, path, upto)

    return serve_right_rows


def _below_what_was_sent(corrected: Callable[..., File]) -> Any:
    def forgetful(self: Any, file: File, begin: int) -> File:
        return corrected(self, file._replace(sent=0.0), begin)._replace(sent=file.sent)

    return forgetful


RULES: dict[str, Rule] = {
    "note": Rule(
        "a batch is written down before it is sent, with the stream's length before it",
        (Patch(surroundings, "reopened", _no_note),),
    ),
    "settle": Rule(
        "an unknown outcome is settled by reading from that length on, before anything is sent again",
        (Patch(plan, "found", _no_settling_of_a_note), Patch(plan, "answered", _no_settling)),
    ),
    "anchor": Rule(
        "if the point before that length is no longer the one that was noted, the stream is read from where the batch may be",
        (Patch(Reading, "__iter__", _no_anchor),),
    ),
    "older anchor": Rule(
        "that point proves something only if it is older than all that was sent",
        (Patch(Reading, "__iter__", _any_anchor),),
    ),
    "refusals are read for": Rule(
        "a refusal for age of what may have been sent before is settled by reading as well",
        (Patch(plan, "answered", _aside_for_age),),
    ),
    "certain refusals": Rule(
        "any answer but 'ok' and the refusals that are known to come before storing is an unknown outcome",
        (Patch(sending, "judge", _every_refusal),),
    ),
    "lone waits": Rule(
        "a lone point with unknown outcome is read for after the wait",
        (
            Patch(plan, "found", _read_at_once),
            Patch(plan, "answered", _read_at_once),
            Patch(plan, "looked", _untried_if_lone),
        ),
    ),
    "reshaped waits": Rule(
        "what may have been sent goes again in the same shape; in another, or aside, only after the wait and a reading",
        (Patch(plan, "answered", _untried_if_refused), Patch(plan, "looked", _untried)),
    ),
    "wait for an answer": Rule(
        "the wait begins when the connection is closed and the server has answered another request",
        (Patch(Context, "wait", _wait_by_the_clock),),
        by_the_clock=True,
    ),
    "lone moves": Rule(
        "a lone point that goes again, alone or split off what was sent, gets the next larger time",
        (Patch(Notes, "move", _no_move),),
    ),
    "moves push": Rule("a move pushes the rows behind it along", (Patch(Notes, "pushes", lambda _: False),)),
    "all its times": Rule(
        "a point is looked for under every time it was sent with since the note was made",
        (Patch(Notes, "sent_times", _latest_time_only),),
    ),
    "split off": Rule(
        "what was split off is looked for along with what goes first, under all its times",
        (Patch(Notes, "keep_times", _nothing_kept),),
    ),
    "note stays": Rule(
        "if a copy was ever in doubt, no connection and no right to write leave the note where it is",
        (Patch(plan, "answered", _undoubted),),
    ),
    "denied ends": Rule(
        "what is denied ends the pass, also if an earlier copy is in doubt",
        (Patch(plan, "answered", _tried_on),),
    ),
    "last time kept": Rule(
        "times of a stream increase strictly over all that was ever accepted; the last is kept in the file",
        (Patch(File, "add", _after_what_waits),),
    ),
    "confirm by id": Rule(
        "exactly the rows that were found are taken off, in the transaction that drops the note",
        (Patch(Context, "confirm", _confirm_by_time),),
    ),
    "held": Rule(
        "what a server confirmed that may forget it stays in the file",
        (Patch(Context, "confirm", _takes_off),),
    ),
    "held are oldest": Rule(
        "rows are held only if none that waits is older",
        (Patch(Context, "_begin_the_stream", _whatever_waits),),
    ),
    "ten seconds": Rule(
        "it stays there until ten seconds after it was confirmed, or was first seen by a new process",
        (Patch(LastSecond, "_since", _seen_long_ago),),
    ),
    "every held batch": Rule(
        "each batch that is held is looked for, unless a newer one is there, behind what it was behind",
        (Patch(LastSecond, "_follows", _always), Patch(LastSecond, "_are_in_a_row", _always)),
    ),
    "age when asked": Rule(
        "a batch is old enough to go if it was so when it was asked for, not when the answer came",
        (Patch(LastSecond, "_release", _age_when_answered),),
    ),
    "looked once more": Rule(
        "when something is missing all is looked at once more after the wait: the newer may be lost by now, a late copy be there",
        (Patch(LastSecond, "_lost", _lost_at_once),),
    ),
    "looked at again": Rule(
        "it is looked for on the server before it goes, and what is not there waits again",
        (Patch(LastSecond, "_missing", _all_there),),
    ),
    "lost goes first": Rule(
        "what was lost goes again before a batch in doubt that came after it",
        (Patch(Pass, "_settle_note", _in_any_order), Patch(Sending, "_follows", _follows)),
    ),
    "same name": Rule(
        "where the server knows names, the same batch goes again under the same one",
        (Patch(Sending, "_send", _other_name),),
    ),
    "names as of now": Rule(
        "whether it knows them is what it says now, not what it said when the batch was first sent",
        (Patch(Sending, "keyed", _knew_it_once),),
    ),
    "noted times stay": Rule(
        "a row that was in a note keeps the time that it may have been sent with, however wrong the clock was",
        (Patch(Corrections, "corrected", _noted_as_well), Patch(Pass, "_serve", _correct_before_settling)),
    ),
    "above what was sent": Rule(
        "no time is corrected to one that is not above all that were sent",
        (Patch(Corrections, "corrected", _below_what_was_sent),),
    ),
    "names forgotten": Rule(
        "a batch with a name is looked for as well before it goes again: the server may have forgotten the name",
        (Patch(plan, "answered", _unread), Patch(plan, "found", _unread_note)),
    ),
}


def patches(without: str) -> list[Patch]:
    """Return what is to be put in place for a search *without* a rule, or with all if that is empty."""
    return list(RULES[without].patches) if without else []
