"""
What the answer to an insert proves: that it was stored, that it was not and why, or nothing at all.

The Logger and acknowledgements of commands need to know exactly: what was stored must not be sent again, and what was not
stored must not be lost.
"""

from __future__ import annotations

from enum import Enum, auto

from ..exceptions import Conflict, ConnectorDBError, OutcomeUnknown, ResponseError
from .features import IDEMPOTENCY_KEY
from .refusals import OLDER

#: Seconds after which a request can no longer arrive, counted from when its connection was closed and the server has answered
#: another one. The original server gives a request five.
LATE_COPY = 10.0


class Answer(Enum):
    """What the answer to an insert proves."""

    STORED = auto()  #   it was stored
    REFUSED = auto()  #  not stored, because of one of its points
    OLDER = auto()  #    this copy was not stored: the stream holds something newer, which may be an earlier copy
    DENIED = auto()  #   not stored, because of the stream or the caller
    UNSENT = auto()  #   nothing of it was sent
    KEYLESS = auto()  #  not stored, because of its idempotency key: send it without one
    UNKNOWN = auto()  #  the answer proves nothing


#: What refusals say that are given before anything is stored (``docs/topics/wire.rst``, "Order, and what an insert may contain").
_FAULTS_OF_A_POINT = ("did not conform to the stream's schema", "must be ordered", "are not ordered")
_FAULTS_OF_THE_STREAM = (
    "was not found.",
    "Write access to stream",
    "Can't access this resource",
    "Exceeded device size limit",
    "Exceeded stream size limit",
)


def judge(error: ConnectorDBError | None) -> Answer:
    """Return what an insert's answer proves, given the exception that it stands for; ``None`` for ``ok``."""
    if error is None:
        return Answer.STORED
    if not isinstance(error, ResponseError):
        return Answer.UNKNOWN if isinstance(error, OutcomeUnknown) else Answer.UNSENT
    # a ref shows that the server itself answered; without it, it may be a proxy that has passed the insert on
    if error.status == 401 and error.ref:
        return Answer.DENIED
    if error.status in (403, 429) and error.ref and IDEMPOTENCY_KEY in error.message:
        return Answer.KEYLESS
    if error.status == 413:
        return Answer.REFUSED
    if error.status == 400 and error.ref and "timeout" not in error.message:
        return Answer.REFUSED
    if error.status in (403, 404) and error.ref:
        if isinstance(error, Conflict) and OLDER in error.message:
            return Answer.OLDER
        if any(words in error.message for words in _FAULTS_OF_A_POINT):
            return Answer.REFUSED
        if any(words in error.message for words in _FAULTS_OF_THE_STREAM):
            return Answer.DENIED
    return Answer.UNKNOWN
