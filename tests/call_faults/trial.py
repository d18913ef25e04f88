"""A call that meets a fault: made, timed, and held to what is promised."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from connectordb import Conflict, ConnectorDBError, OutcomeUnknown, ServerError

from .calls import Call
from .faults import Fault
from .gate import Gate
from .stage import Stage, Try

#: Seconds beyond its deadline after which a call is late, on a machine that is busy with others.
_LATE = 2.0


@dataclass(frozen=True)
class Meeting:
    """
    Which call meets which fault, and how.

    Attributes:
        call: The call.
        fault: The fault.
        is_once: Whether only one request meets it; otherwise each.
        is_passed_on: Whether the server gets that request all the same.
        is_original: Whether the server is an original one, as far as the client knows, which has no names for inserts.
        at_last: Whether it is the last one that meets it, of a call that makes several.
    """

    call: Call
    fault: Fault
    is_once: bool
    is_passed_on: bool
    is_original: bool = False
    at_last: bool = False

    @property
    def kind(self) -> str:
        """The kind of its call, by which the page has it."""
        return f"{self.call.kind}-0.3" if self.is_original else self.call.kind

    def __str__(self) -> str:
        when = ("its last request" if self.at_last else "once") if self.is_once else "each time"
        passed = ", the server got it" if self.is_passed_on and self.call.writes else ""
        original = ", an original server" if self.is_original else ""
        return f"{self.call.label} × {self.fault.name}, {when}{passed}{original}"


@dataclass
class Result:
    """
    What came of it.

    Attributes:
        meeting: What was tried.
        outcome: The class of what was raised, or ``""`` where it returned.
        requests: How many came to the gate.
        usual: How many the call takes without a fault.
        tries: How often a connection was tried for.
        seconds: How long the call took.
        wrong: What is wrong.
    """

    meeting: Meeting
    outcome: str = ""
    requests: int = 0
    usual: int = 0
    tries: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    text: str = ""

    @property
    def is_late(self) -> bool:
        """Whether it is amiss, and only in its time, for which a machine that is busy with others may be to blame."""
        return bool(self.wrong) and all("it took" in what or "TimedOut" in what for what in self.wrong)

    @property
    def cell(self) -> str:
        """What stands in the table."""
        shown = f"`~connectordb.{self.outcome}`" if self.outcome else "returns"
        if self.meeting.call.is_live:
            return shown
        if not self.outcome:
            return shown + _number(", ", self.requests - self.usual, " request more")
        if self.requests:
            return shown + _number(", ", self.requests, " request")
        return shown + _number(", nothing arrived, ", self.tries, " try", " tries")


def _number(before: str, number: int, what: str, plural: str = "") -> str:
    if number <= 0:
        return ""
    first, _, rest = what.strip().partition(" ")
    several = plural or f" {first}s{' ' + rest if rest else ''}"
    return f"{before}{number}{what if number == 1 else several}"


def meetings(calls: list[Call], faults: list[Fault]) -> Iterator[Meeting]:
    """Yield every meeting of these, as far as it can be before it is known how many requests a call takes."""
    for fault in faults:
        for call in calls:
            variants = fault.passed_on if call.writes else fault.passed_on[-1:]
            servers = (False, True) if call.kind == "insert" else (False,)
            for is_passed_on, is_original, is_once in product(variants, servers, (False, True)):
                yield Meeting(call, fault, is_once, is_passed_on, is_original)


def hold(stage: Stage, meeting: Meeting, deadline: float) -> Result:
    """
    Have it, and return what came of it.

    Args:
        stage: Where.
        meeting: What.
        deadline: Seconds that a call may take.
    """
    gate = stage.tls if meeting.fault.is_tls else stage.plain
    gate.announces = not meeting.is_original
    _learn(stage, meeting.call)
    with closing(Try(stage, gate)) as at:
        meeting.call.prepare(at)
        result = Result(meeting, usual=stage.requests[meeting.call.label])
        value, error = _make(at, gate, meeting, result, deadline)
        if not result.wrong:  # what hung was let go
            result.wrong += _judged(at, meeting, value, error, result)
        result.wrong += _goes_on(at)
        if meeting.call.kind != "read":
            at.remove()
    return result


def _learn(stage: Stage, call: Call) -> None:
    """Make a call without a fault, the first time it is made here: what it returns, and how many requests it takes."""
    if call.label in stage.requests:
        return
    with closing(Try(stage, stage.plain)) as at:
        call.prepare(at)
        before = len(stage.plain.lines)
        value = call.do(at)
        stage.requests[call.label] = len(stage.plain.lines) - before
        if not call.writes:
            stage.expected[call.label] = value
        wrong = list(_effect(at, call, None))
        if wrong:
            raise AssertionError(f"{call.label}, without a fault: {'; '.join(wrong)}")
        if call.kind != "read":
            at.remove()


def _make(at: Try, gate: Gate, meeting: Meeting, result: Result, deadline: float) -> tuple[Any, BaseException | None]:
    first = at.stage.requests[meeting.call.label] if meeting.at_last else 1
    value, error = None, None
    longest = deadline + meeting.call.patience + _LATE
    # what hangs is let go, so that it is seen
    watchdog = threading.Timer(longest + 1.0, gate.calm)
    watchdog.daemon = True
    watchdog.start()
    gate.begin(meeting.fault.trouble(meeting.is_once, meeting.is_passed_on, first))
    began = time.monotonic()
    try:
        value = meeting.call.do(at)
    except Exception as raised:
        error = raised
    finally:
        result.seconds = time.monotonic() - began
        result.requests, result.tries = len(gate.lines), gate.name.asked
        gate.calm()
        watchdog.cancel()
    result.outcome = "" if error is None else type(error).__name__
    if error is not None:
        result.text = str(error)
    if result.seconds > longest:
        result.wrong.append(
            f"it took {result.seconds:.1f} s, and should have ended after {deadline + meeting.call.patience:g}"
        )
    return value, error


# --- what is promised -------------------------------------------------------------------------------------------------


def _judged(at: Try, meeting: Meeting, value: Any, error: BaseException | None, result: Result) -> Iterator[str]:
    call, fault = meeting.call, meeting.fault
    if call.is_raw and fault.says_200 and error is None:
        return  # the caller has the answer, and judges
    if error is None:
        if not meeting.is_once and result.requests + result.tries:
            yield f"it returned {value!r:.80}, though each of its requests met the fault"
        expected = at.stage.expected.get(call.label)
        if call.label in at.stage.expected and value != expected:
            yield f"it returned {value!r:.80} instead of {expected!r:.80}"
    else:
        yield from _right_error(meeting, error)
        yield from _no_secret(at, error)
    yield from _effect(at, call, error)
    yield from _sent(at.gate, meeting)


def _right_error(meeting: Meeting, error: BaseException) -> Iterator[str]:
    shown = f"{type(error).__name__}: {error!s:.300}"
    if not isinstance(error, ConnectorDBError):
        yield f"it raised what is none of ours: {shown}\n{''.join(traceback.format_exception(error))}"
        return
    allowed = (*meeting.fault.raises, *meeting.call.raises)
    if meeting.call.inserts and meeting.fault.arrives:
        allowed = (*allowed, OutcomeUnknown)
    if not isinstance(error, allowed):
        yield f"it raised {shown}; expected {' or '.join(kind.__name__ for kind in allowed)}"
    if isinstance(error, OutcomeUnknown) and OutcomeUnknown not in allowed:
        yield f"it raised {shown}, though nothing can have arrived"
    if not str(error).strip():
        yield f"{type(error).__name__} says nothing"


def _no_secret(at: Try, error: BaseException) -> Iterator[str]:
    text = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    for secret in at.stage.secrets:
        if secret in text:
            yield "a secret is in the text of its exception"


def _effect(at: Try, call: Call, error: BaseException | None) -> Iterator[str]:
    """Say what is there and should not be, or is not there and should be."""
    if call.inserts:
        points = at.direct(at.target)()
        values = [point["d"] for point in points]
        stored = len(values)
        wanted = call.inserts
        claimed = getattr(error, "stored", 0) or 0
        if stored > wanted or (wanted > 1 and values != list(range(stored))):
            yield f"{stored} of {wanted} points are stored: {values!r:.100}"
        elif error is None and stored != wanted:
            yield f"it returned, and {stored} of {wanted} points are stored"
        elif isinstance(error, OutcomeUnknown) and stored < claimed:
            yield f"it says that {claimed} points are stored, and {stored} are"
        elif error is not None and not _leaves_open(call, error) and stored != claimed:
            yield f"it raised {type(error).__name__}, which says that {claimed} points are stored, and {stored} are: {error!s:.200}"
    elif call.done is not None:
        if error is None and not call.done(at):
            yield "it returned, and has not done what it should"
        elif isinstance(error, Conflict):
            yield f"it ran into what it has done itself: {error!s:.200}"


def _leaves_open(call: Call, error: BaseException) -> bool:
    """Tell whether an error says that points may be stored."""
    return isinstance(error, OutcomeUnknown) or (call.is_raw and isinstance(error, ServerError))


def _sent(gate: Gate, meeting: Meeting) -> Iterator[str]:
    foreign = [line for line in gate.lines if " /api/v1/" not in line]
    if foreign:
        yield f"it sent {foreign[0]!r}"


def _goes_on(at: Try) -> Iterator[str]:
    try:
        with at.cdb.options(timeout=30):  # others keep the machine busy
            if at.cdb.ping() != f"{at.stage.user}/user":
                yield "the next call returned something else"
            if at.stream[-1]["t"] != 1011.0:
                yield "the next read returned something else"
    except Exception as error:
        yield f"the next call raised {type(error).__name__}: {error}"


class Overhearing(logging.Handler):
    """Looks for secrets in all that is logged, by whomever."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.secrets: list[str] = []
        self.found: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a record."""
        text = self.format(record)
        if any(secret in text for secret in self.secrets):
            self.found.append(f"{record.name}, line {record.lineno} of {record.filename}")
