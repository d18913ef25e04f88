"""
What to do next with a batch that was noted: send, read, wait, take off, halve, set aside. Pure.

A ConnectorDB 0.3 server takes a POST whole or not at all, refuses one that begins before its newest point, accepts equal
times, and knows no request ids. So a batch is noted before it is sent, and when its outcome is unknown (no answer, a kill,
an answer that proves nothing), the stream is read from where it ended before. Two cases need more care:

* A lone point that is sent twice would not be refused as older. So the stream is read only after a wait in which a late copy of
  the point must have arrived. Then the point is sent with the next larger time, so that a copy which is later still is refused.
* A batch that may still be on its way is sent again in the same shape; in another shape only after such a wait and a reading.

A server that announces idempotency keys knows a batch by the key in its note. There the same body is sent again under the same
key, at once and with the same times: it is stored once, however late an earlier copy arrives.

`Attempt` is what is remembered of a batch while it is being dealt with; a process that finds a note in the file begins with `found`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from ...exceptions import AuthenticationError, ConnectorDBError, NotFound, PermissionDenied
from ...protocol.constants import DATAPOINT_INSERT_LIMIT
from ...protocol.proof import LATE_COPY, Answer

#: Seconds to wait for a copy that may be on its way.
WAIT = LATE_COPY

#: Seconds that sending a batch should take.
BATCH_SECONDS = 2.0

#: Rows of the first batch, when nothing is known of the way to the server; and how many times larger the next one may be.
FIRST_BATCH, _GROWTH = 500, 10.0

#: While the program inserts, and batches follow each other within `_QUICK` seconds, a batch has at most `_BESIDE` rows, as inserts
#: have to wait while it is taken off. The program is taken to insert for `INSERTING` seconds after an insert had to wait.
_QUICK, _BESIDE, INSERTING = 0.02, 250, 1.0

#: After this many batches beside inserts, the syncing thread writes the file's log back: otherwise an insert would have to.
WRITTEN_BACK = 20


def is_final(error: ConnectorDBError) -> bool:
    """Tell whether a reading that was refused will be refused again: the stream is gone, or no longer ours to see."""
    return isinstance(error, (NotFound, PermissionDenied)) or type(error) is AuthenticationError


class Step(Enum):
    """What to do next."""

    SEND = auto()  #        send the noted rows
    CONFIRM = auto()  #     take the noted rows off
    FOUND = auto()  #       take off the rows that were found
    READ = auto()  #        read the stream, from the noted length on
    WAIT = auto()  #        wait until no late copy can be on its way, then read
    HALVE = auto()  #       note and send only the first half
    MOVE = auto()  #        give the lone row the next larger time, and send it
    RESTAMP = auto()  #     give the rows that are older than what is stored the earliest times allowed, and send
    SET_ASIDE = auto()  #   set the lone row aside: the server refused it
    TOO_OLD = auto()  #     set aside the rows that are older than what is stored
    LEAVE = auto()  #       the rows wait; none of them was ever in doubt, so the note is dropped
    STOP = auto()  #        the rows wait, and the note stays


@dataclass(frozen=True, slots=True)
class Batch:
    """The noted rows: how many there are, and the time of the first."""

    count: int
    first: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    What is remembered of a batch.

    Attributes:
        tried: An earlier copy may still be on its way.
        doubted: The outcome of a copy was unknown at some time, even if that was settled by waiting since.
        refused: The server refused it because of one of its points, so it goes in halves once no copy is on its way.
        unknown: How many outcomes of a batch of this shape were unknown.
        keyed: The server knows it by a key, so another copy may be sent at once.
    """

    tried: bool = False
    doubted: bool = False
    refused: bool = False
    unknown: int = 0
    keyed: bool = False


def found(batch: Batch, unknown: int, keyed: bool = False) -> tuple[Step, Attempt]:
    """Begin with a note that was found in the file: the batch may have been sent, and may still be on its way."""
    return _in_doubt(batch, Attempt(unknown=unknown, keyed=keyed))


def answered(batch: Batch, attempt: Attempt, answer: Answer) -> tuple[Step, Attempt]:
    """Go on after the answer to an insert."""
    if answer is Answer.STORED:
        return Step.CONFIRM, attempt
    if answer is Answer.UNKNOWN:
        return _in_doubt(batch, replace(attempt, unknown=attempt.unknown + 1))
    if answer is Answer.OLDER:  # what is newer may be an earlier copy of this very batch
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
    # a batch with two times or more is refused if another copy arrived first; a lone point would be stored twice
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
        any_found: Whether some of them are there, at any of the times that they were sent with.
        newest: The time of the stream's newest point, 0 if there is none.
        restamp: Whether points that are older than that get later times; otherwise they are set aside.
    """
    if any_found:
        return Step.FOUND, attempt
    if batch.first < newest:
        return (Step.WAIT if attempt.tried else Step.RESTAMP if restamp else Step.TOO_OLD), attempt
    if batch.count == 1:
        if attempt.keyed:
            return Step.SEND, attempt
        return (Step.WAIT if attempt.tried else Step.MOVE), attempt  # tried: the server knew keys when it was sent
    if attempt.refused or attempt.unknown >= 2:  # a shape is tried twice only: a large batch may never get through
        return (Step.WAIT, attempt) if attempt.tried else (Step.HALVE, Attempt(doubted=attempt.doubted))
    return Step.SEND, attempt


def _less(batch: Batch) -> Step:
    return Step.HALVE if batch.count > 1 else Step.SET_ASIDE


def shape(size: int, sent: int, seconds: float | None) -> int:
    """
    Return how many rows the next batch takes, so that sending it takes `BATCH_SECONDS`.

    Args:
        size: What this returned for the last batch.
        sent: How many rows that batch had, which may have been fewer.
        seconds: How long sending it took; ``None`` if it did not get through whole.
    """
    if seconds is None:
        return max(2, sent // 2)
    if seconds > BATCH_SECONDS:
        return max(2, int(sent * BATCH_SECONDS / seconds))
    fitting = sent * min(_GROWTH, BATCH_SECONDS / max(seconds, 1e-6))
    return min(DATAPOINT_INSERT_LIMIT, max(size, int(fitting)))


def beside(size: int, seconds: float | None, inserting: bool) -> int:
    """
    Return how many rows a batch takes at most, so that inserts need not wait long while it is taken off.

    Args:
        size: How many it would take otherwise.
        seconds: The time since the last batch was noted; ``None`` if this is the first.
        inserting: Whether the program inserts meanwhile.
    """
    return min(size, _BESIDE) if inserting and seconds is not None and seconds < _QUICK else size
