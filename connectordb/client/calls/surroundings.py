"""What all calls of a session share, and the record of one attempt: for `Calls`, which sends, and `Attempts`, which decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...exceptions import ConnectionFailed, RemoteProtocolError, ResponseError
from ...protocol.features import Features
from ...runtime.clock import Clock
from ..settings import Credentials
from ..terms.trace import Trace
from .budget import Budget
from .endpoint import Endpoint
from .endpoints import Endpoints
from .names import Names

#: The exceptions with which a request fails.
Failure = ConnectionFailed | ResponseError | RemoteProtocolError


class Surroundings(NamedTuple):
    """
    What all calls of a session share.

    Attributes:
        endpoints: The servers.
        budget: How many requests may be retried.
        names: Makes idempotency keys.
        renew: Tries to get other credentials than those that were refused; returns whether there are any.
        check_open: Raises if the session was closed.
        pause: Sleeps; raises if the session is closed meanwhile.
        clock: The clocks.
    """

    endpoints: Endpoints
    budget: Budget
    names: Names
    renew: Callable[[Credentials], bool]
    check_open: Callable[[], None]
    pause: Callable[[float], None]
    clock: Clock


class Sent(NamedTuple):
    """
    One attempt.

    Attributes:
        endpoint: The server.
        features: What the server could do, as far as was known when the request was sent.
        credentials: What was sent with it.
        trace: What became of it, and what it cost.
    """

    endpoint: Endpoint
    features: Features
    credentials: Credentials
    trace: Trace
