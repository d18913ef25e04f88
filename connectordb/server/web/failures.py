"""From an exception to what the client is told, over REST and over a websocket alike."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import NamedTuple

from ...exceptions import ClosedError, ConnectorDBError, StorageFull
from ...protocol.refusals import NOT_DONE
from ..handlers import Refusal
from ..patience import NotWanted
from ..tracebacks import let_go

log = logging.getLogger(__name__)

#: What clients are told while the server stops.
STOPPING = "ConnectorDB is shutting down"


class Failure(NamedTuple):
    """
    What the client is told about an error.

    Attributes:
        status: The HTTP status.
        message: What went wrong.
        ref: The reference under which the log has it.
        headers: More headers of the answer.
    """

    status: int
    message: str
    ref: str
    headers: Mapping[str, str] = {}


def failure(error: Exception, doing: str) -> Failure:
    """
    Return what the client is told about an error, and free what the error holds.

    Args:
        error: The error.
        doing: What was being done, for the log, which gets all errors that are not the client's fault.
    """
    ref = str(uuid.uuid4())
    try:
        if isinstance(error, Refusal):
            return Failure(error.status, error.message, ref, error.headers)
        if isinstance(error, NotWanted):
            return Failure(503, f"{NOT_DONE}{error}", ref)
        if isinstance(error, ClosedError):
            return Failure(503, STOPPING, ref)
        if isinstance(error, StorageFull):
            log.error("%s (ref %s): %s", doing, ref, error)
            return Failure(507, "The server's disk is full; nothing was stored.", ref)
        bug = not isinstance(error, ConnectorDBError)
        log.error("%s failed (ref %s): %s", doing, ref, error, exc_info=error if bug else None)
        return Failure(500, "The server failed; its log says why.", ref)
    finally:
        let_go(error)
