"""
What to do next with a batch that was written down: send, read, wait, take off, halve, set aside. Pure.

A ConnectorDB 0.3 server takes a POST whole or not at all, refuses one that begins before its newest point, accepts equal
times, and knows no request ids. So a batch is noted before it is sent, and when its outcome is unknown (no answer, a kill,
an answer that proves nothing) the stream is read from where it ended before. Two cases need more care. A lone point, sent
again, would not be refused as older: it is read for only after a wait in which a late copy of it must have arrived, and
goes again with the next larger time, so that a copy that is later still is refused. And a batch that may be on its way goes
again in the same shape, or, after such a wait and a reading, in another.

A server that announces idempotency keys knows a batch by the key in its note. There the same body goes again under the same
key, at once and with the same times, as it is stored once however late an earlier copy comes.

`Attempt` is what is remembered of a batch while it is being dealt with; a process that finds a note begins with `found`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from ...exceptions import AuthenticationError, ConnectorDBError, NotFound, PermissionDenied
from ...protocol.constants import DATAPOINT_INSERT_LIMIT
from ...protocol.proof import LATE_COPY, Answer

#: Seconds to wait for a copy that may be on its way.
WAIT = LATE_COPY

#: Seconds that a batch should take to be sent.
BATCH_SECONDS = 2.0

#: Rows of the first batch, when nothing is known of the way to the server; and how much larger the next may be at most.
FIRST_BATCH, _GROWTH = 500, 10.0

#: Batches that follow each other as quickly as this, in seconds, have this many rows at most while somebody inserts; and how
#: long that is thought of anybody who had to wait for one. More slowly, hardly anybody meets one.
_QUICK, _BESIDE, INSERTING = 0.02, 250, 1.0

#: After so many batches beside inserts the file's log is written back by who syncs, as whoever inserts would have to otherwise.
WRITTEN_BACK = 20


def is_final(error: ConnectorDBError) -> bool:
    """Tell whether a refused reading will go on being refused: the stream is gone, or no longer ours to see."""
    return isinstance(error, (NotFound, PermissionDenied)) or type(error) is AuthenticationError


class Step(Enum):
    """What to do next."""

    SEND = auto()  #        the noted rows
    CONFIRM = auto()  #     take the noted rows off
    FOUND = auto()  #       take off those that were found
    READ = auto()  #        the stream, from the noted length on
    WAIT = auto()  #        until no late copy can be on its way, then read
    HALVE = auto()  #       note and send the first half only
    MOVE = auto()  #        give the lone row the next larger time, and send
    RESTAMP = auto()  #     give those that are older than what is stored the earliest times allowed, and send
    SET_ASIDE = auto()  #   the lone row: refused
    TOO_OLD = auto()  #     set aside those that are older than what is stored
    LEAVE = auto()  #       the rows wait; nothing of them was ever in doubt, so the note goes
    STOP = auto()  #        the rows wait, and the note stays


@dataclass(frozen=True, slots=True)
class Batch:
    """The noted rows: how many, and the first one's time."""

    count: int
    first: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    What is remembered of a batch.

    Attributes:
        tried: An earlier copy may still be on its way.
        doubted: The outcome of a copy was unknown once, whatever was waited for since.
        refused: The server refused it for a point's fault, so it goes in halves once nothing is on its way.
        unknown: Outcomes of this shape that were unknown.
        keyed: The server knows it by a key, so that a copy of it may follow another.
    """

    tried: bool = False
    doubted: bool = False
    refused: bool = False
    unknown: int = 0
    keyed: bool = False


def found(batch: Batch, unknown: int, keyed: bool = False) -> tuple[Step, Attempt]:
    """Begin with a note that was found in the file: it may have been sent, and may be on its way."""
    return _in_doubt(batch, Attempt(unknown=unknown, keyed=keyed))


def answered(batch: Batch, attempt: Attempt, answer: Answer) -> tuple[Step, Attempt]:
    """Go on after the answer to an insert."""
    if answer is Answer.STORED:
        return Step.CONFIRM, attempt
    if answer is Answer.UNKNOWN:
        return _in_doubt(batch, replace(attempt, unknown=attempt.unknown + 1))
    if answer is Answer.OLDER:  # an earlier copy of it may be what is newer
        return Step.READ, attempt
    if answer in (Answer.DENIED, Answer.UNSENT):
        return (Step.STOP if attempt.doubted else Step.LEAVE), attempt
    if answer is Answer.KEYLESS:
        attempt = replace(attempt, keyed=False)
        return _in_doubt(batch, attempt) if attempt.tried else (Step.SEND, attempt)
    if attempt.tried:
        return Step.WAIT, replace(attempt, refused=True)
    return _less(batch), replace(attempt, refused=False, unknown=0)


def _in_doubt(batch: Batch, attempt: Attempt) -> tuple[Step, Attempt]:
    # a repeated batch of two times is refused if its first copy arrives before; a lone point would be stored twice
    lone = batch.count == 1 and not attempt.keyed
    return (Step.WAIT if lone else Step.READ), replace(attempt, tried=True, doubted=True)


def waited(attempt: Attempt) -> tuple[Step, Attempt]:
    """Go on after the wait: whatever was sent has arrived, or never will."""
    return Step.READ, replace(attempt, tried=False)


def looked(
    batch: Batch, attempt: Attempt, any_found: bool, newest: float, restamp: bool = False
) -> tuple[Step, Attempt]:
    """
    Go on after the stream was read.

    Args:
        batch: The noted rows.
        attempt: What is remembered of them.
        any_found: Whether some of them are there, under any time they were sent with.
        newest: The time of the stream's newest point, 0 if there is none.
        restamp: Whether points that are older than that are given other times, or set aside.
    """
    if any_found:
        return Step.FOUND, attempt
    if batch.first < newest:
        return (Step.WAIT if attempt.tried else Step.RESTAMP if restamp else Step.TOO_OLD), attempt
    if batch.count == 1:
        if attempt.keyed:
            return Step.SEND, attempt
        return (Step.WAIT if attempt.tried else Step.MOVE), attempt  # tried: the server knew keys when it was sent
    if attempt.refused or attempt.unknown >= 2:  # one shape is tried twice: what is large may never get through
        return (Step.WAIT, attempt) if attempt.tried else (Step.HALVE, Attempt(doubted=attempt.doubted))
    return Step.SEND, attempt


def _less(batch: Batch) -> Step:
    return Step.HALVE if batch.count > 1 else Step.SET_ASIDE


def shape(size: int, sent: int, seconds: float | None) -> int:
    """
    Return how many rows the next batch takes, so that it is sent in `BATCH_SECONDS`.

    Args:
        size: What was returned last.
        sent: The rows of the last batch, which may have been fewer.
        seconds: How long sending them took; ``None`` if they did not get through whole.
    """
    if seconds is None:
        return max(2, sent // 2)
    if seconds > BATCH_SECONDS:
        return max(2, int(sent * BATCH_SECONDS / seconds))
    fitting = sent * min(_GROWTH, BATCH_SECONDS / max(seconds, 1e-6))
    return min(DATAPOINT_INSERT_LIMIT, max(size, int(fitting)))


def beside(size: int, seconds: float | None, inserting: bool) -> int:
    """
    Return how many rows a batch takes at most, such that whoever inserts does not wait for long until it is taken off.

    Args:
        size: How many it would take.
        seconds: From the batch before the last to that; ``None`` if there was none.
        inserting: Whether somebody inserts meanwhile.
    """
    return min(size, _BESIDE) if inserting and seconds is not None and seconds < _QUICK else size
