"""
The Logger: the steps that `connectordb.logger.plan` decides on, taken as `sending` and `sync` take them.

Where those decide something themselves it is imitated here, and marked with what it imitates.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from connectordb.exceptions import ConnectionFailed, ConnectorDBError, OutcomeUnknown
from connectordb.logger import sending
from connectordb.logger.plan import Answer, Attempt, Batch, Step
from connectordb.logger.reading import Reading
from connectordb.logger.records import Note as FileNote
from connectordb.protocol import rest
from connectordb.protocol.features import Features
from connectordb.protocol.paths import Path
from connectordb.protocol.settle import Outcome, Sent, Settling

from .cache import Cache
from .deciders import Deciders
from .world import Batch as Rows
from .world import Doing, Note, State, World, at, noted, show

_PATH = Path.parse("u/d/s")


def _said(status: int, message: str) -> ConnectorDBError:
    """Return what the client makes of a refusal."""
    request = rest.insert_text(_PATH, b"[]", 0)
    told = {"code": status, "msg": message, "ref": "0f8fad5b"}
    return rest.refusal(request, rest.Reply(status, json.dumps(told).encode()))


#: What the client makes of each answer.
_ANSWERS: dict[str, ConnectorDBError | None] = {
    "ok": None,
    "schema": _said(403, "At least one datapoint did not conform to the stream's schema"),
    "older": _said(403, "Greater timestamp already exists for the stream. Insert Failed."),
    "denied": _said(403, "Write access to stream data denied."),
    "odd": _said(403, "nats: maximum payload exceeded"),
    "broken": OutcomeUnknown("the connection broke"),
    "away": ConnectionFailed("refused"),
}


class Driver:
    """The Logger's part."""

    def __init__(self, world: World, cache: Cache, plan: Deciders) -> None:
        self._world, self._cache, self._plan = world, cache, plan

    def steps(self, s: State) -> Iterator[tuple[str, State]]:
        """Yield each thing that the Logger may do next, in words, and what there is then."""
        if s.doing is None:
            yield from self._begin(s)
        elif s.doing.step is Step.SEND:
            yield from self._send(s, s.doing)
        elif s.doing.step is Step.READ:
            yield self._read(s, s.doing)
        elif s.doing.step is Step.WAIT:
            yield from self._wait(s, s.doing)
        elif s.doing.step is Step.MOVE:
            moved = self._cache.move(s)
            yield f"it goes again as {show(noted(moved))}", moved._replace(doing=s.doing._replace(step=Step.SEND))
        elif s.doing.step is Step.HALVE:
            yield self._halve(s, s.doing)
        else:
            yield self._end(s, s.doing)

    # --- sync.Pass._serve -----------------------------------------------------------------------------------------------

    def _begin(self, s: State) -> Iterator[tuple[str, State]]:
        if s.note is not None:
            step, attempt = self._plan.found(_batch(s), s.note.attempts)
            yield "it finds the note", s._replace(doing=Doing(step, attempt))
        elif s.rows and s.end is None:
            end = (len(s.stream), s.stream[-1][0] if s.stream else None)
            yield f"it asks for the stream's end: {end[0]}", s._replace(end=end)
        elif s.rows and s.end is not None:
            # of any size: what is sent is bounded by bytes, and by what was there when the pass began
            for size in range(self._plan.least(len(s.rows)), len(s.rows) + 1):
                batch = s.rows[:size]
                note = Note(batch[0][1], batch[-1][1], *s.end)
                doing = Doing(Step.SEND, Attempt(), whole=True)
                yield (
                    f"it notes {show(batch)}, length {s.end[0]}",
                    self._cache.write_note(s, note)._replace(doing=doing),
                )

    # --- sending.Sending.run --------------------------------------------------------------------------------------------

    def _send(self, s: State, doing: Doing) -> Iterator[tuple[str, State]]:
        assert s.note is not None
        if s.answer is None:
            if doing.unknown == sending._UNKNOWN_AT_MOST:
                yield "it lets the batch be for now", _stopped(s)
                return
            yield f"it sends {show(noted(s))}", s._replace(open=noted(s), answer="", sent=True)
            if s.away < self._world.away:
                yield "there is no connection", s._replace(answer="away", away=s.away + 1)
        elif s.answer:
            answer, unknown = self._plan.judge(_ANSWERS[s.answer]), doing.unknown
            if answer is Answer.UNKNOWN:
                s = self._cache.write_note(s, s.note._replace(attempts=s.note.attempts + 1))
                unknown += 1
            step, attempt = self._plan.answered(_batch(s), doing.attempt, answer)
            whole = doing.whole and step is Step.CONFIRM
            after = s._replace(answer=None, doing=Doing(step, attempt, whole, unknown))
            yield f"answered, it will {step.name.lower()}", after

    def _read(self, s: State, doing: Doing) -> tuple[str, State]:
        rows, times = self._cache.looked_for(s), self._cache.sent_times(s)
        sent = tuple((*times.get(v, ()), t) for t, v in rows)
        any_found, positions, newest = _look(self._plan.anchored(s), s.stream, rows, sent)
        found = "".join(rows[position][1] for position in positions)
        step, attempt = self._plan.looked(_batch(s), doing.attempt, any_found, newest)
        said = f"it finds {found}" if found else f"not there, the newest is {at(newest)}"
        return f"{said}: it will {step.name.lower()}", s._replace(
            doing=doing._replace(step=step, attempt=attempt, newest=newest, found=found)
        )

    def _wait(self, s: State, doing: Doing) -> Iterator[tuple[str, State]]:
        # Context.wait; what is late has arrived by its end, or never will, unless the server held it
        if not s.late or self._world.late or (self._world.stall and not self._plan.waits_for_an_answer):
            step, attempt = self._plan.waited(doing.attempt)
            yield "the wait is over", s._replace(doing=doing._replace(step=step, attempt=attempt))

    def _halve(self, s: State, doing: Doing) -> tuple[str, State]:
        assert s.note is not None
        half = noted(s)[: len(noted(s)) // 2]
        after = self._cache.write_note(s, s.note._replace(last=half[-1][1], attempts=0))
        step = self._plan.halved(len(half))
        return f"{show(half)} goes first", after._replace(doing=doing._replace(step=step))

    def _end(self, s: State, doing: Doing) -> tuple[str, State]:
        ids = "".join(v for _, v in noted(s))
        if doing.step is Step.CONFIRM:
            assert s.end is not None or not doing.whole
            # sync.Pass._serve: what was confirmed lies behind the length that was noted, so does what is sent next
            end = (s.end[0] + len(ids), noted(s)[-1][0]) if s.end is not None and doing.whole else None
            return "it takes the rows off", _next(self._plan.confirm(self._cache, s, ids), end)
        if doing.step is Step.FOUND:
            return f"it takes {doing.found} off", _next(self._plan.confirm(self._cache, s, doing.found), None)
        if doing.step is Step.SET_ASIDE:
            return f"it sets {show(noted(s))} aside: refused", _next(self._cache.resolve(s, (), ids), None)
        if doing.step is Step.TOO_OLD:
            old = tuple(row for row in noted(s) if row[0] < doing.newest)
            return f"it sets {show(old)} aside: too old", _next(self._cache.resolve(s, (), [v for _, v in old]), None)
        if doing.step is Step.LEAVE:
            return "it leaves the rows and drops the note", _stopped(self._cache.resolve(s))
        return "it leaves the rows and the note", _stopped(s)._replace(denials=s.denials + (s.denied == 1))


def _batch(s: State) -> Batch:
    rows = noted(s)
    return Batch(len(rows), rows[0][0])


def _next(s: State, end: tuple[int, float | None] | None) -> State:
    """Go on with what waits, in the same pass."""
    return s._replace(doing=None, answer=None, end=end if s.rows else None)


def _stopped(s: State) -> State:
    """End the pass: another begins some time later."""
    return s._replace(doing=None, answer=None, end=None)


class _Held:
    """A stream to be read; the other requests have their own part in the model."""

    address = apikey = ""
    features = Features()

    def __init__(self, stream: Rows) -> None:
        self._stream = stream

    def call(self, request: rest.Request[Any]) -> Any:
        if "q" in request.parameters:
            return len(self._stream)
        first, end = int(request.parameters["i1"]), int(request.parameters["i2"])
        return [{"t": t, "d": v} for t, v in self._stream[first:end]]


@lru_cache(100_000)
def _look(
    note: tuple[int, float | None], stream: Rows, rows: Rows, sent: tuple[tuple[float, ...], ...]
) -> tuple[bool, tuple[int, ...], float]:
    # sending.Sending._look
    settling = Settling([Sent(times, v) for times, (_, v) in zip(sent, rows, strict=True)])
    newest = 0.0
    earliest = min(t for times in sent for t in times)
    for points in Reading(_Held(stream), _PATH, FileNote(1, 0, 0, "", "", "", *note), earliest):
        for point in points[-1:]:
            if not math.isnan(point["t"]):
                newest = point["t"]
        settling.look(points)
        if settling.complete:
            break
    result = settling.result()
    return result.outcome is not Outcome.NOT_STORED, result.found, newest
