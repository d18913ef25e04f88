"""
What the answer to an insert proves: stored, not stored and why, or nothing at all.

For whoever must know it exactly, as what was stored must not be sent again and what was not must not be lost: the Logger, and
acknowledgements.
"""

from __future__ import annotations

from enum import Enum, auto

from ..exceptions import Conflict, ConnectorDBError, OutcomeUnknown, ResponseError
from .features import IDEMPOTENCY_KEY
from .refusals import OLDER

#: Seconds that a request on its way is given to arrive after its connection was closed and the server has answered
#: another: the original gives a request five.
LATE_COPY = 10.0


class Answer(Enum):
    """What the answer to an insert proves."""

    STORED = auto()  #   ok
    REFUSED = auto()  #  not stored, and a point of it is to blame
    OLDER = auto()  #    this copy was not stored: the stream holds something newer, which may be an earlier copy
    DENIED = auto()  #   not stored, and the stream or the caller is to blame
    UNSENT = auto()  #   nothing of it was sent
    KEYLESS = auto()  #  not stored, and it should go without its key
    UNKNOWN = auto()  #  nothing


#: Words of refusals that come before anything is stored (``docs/topics/wire.rst``, "Order, and what an insert may contain").
_FAULTS_OF_A_POINT = ("did not conform to the stream's schema", "must be ordered", "are not ordered")
_FAULTS_OF_THE_STREAM = (
    "was not found.",
    "Write access to stream",
    "Can't access this resource",
    "Exceeded device size limit",
    "Exceeded stream size limit",
)


def judge(error: ConnectorDBError | None) -> Answer:
    """Return what an insert's answer proves, given the exception that it stands for."""
    if error is None:
        return Answer.STORED
    if not isinstance(error, ResponseError):
        return Answer.UNKNOWN if isinstance(error, OutcomeUnknown) else Answer.UNSENT
    if error.status == 401 and error.ref:  # without one it is somebody between, who may have passed it on
        return Answer.DENIED
    if error.status in (403, 429) and error.ref and IDEMPOTENCY_KEY in error.message:
        return Answer.KEYLESS
    if error.status == 413:
        return Answer.REFUSED
    if error.status == 400 and error.ref and "timeout" not in error.message:  # a ref: it is the server that speaks
        return Answer.REFUSED
    if error.status in (403, 404) and error.ref:
        if isinstance(error, Conflict) and OLDER in error.message:
            return Answer.OLDER
        if any(words in error.message for words in _FAULTS_OF_A_POINT):
            return Answer.REFUSED
        if any(words in error.message for words in _FAULTS_OF_THE_STREAM):
            return Answer.DENIED
    return Answer.UNKNOWN
