"""What the attempts of calls share, and what one of them is: known to who calls, and to who decides after a failure."""

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

#: How a request fails.
Failure = ConnectionFailed | ResponseError | RemoteProtocolError


class Surroundings(NamedTuple):
    """
    What the attempts of all calls of a session share.

    Attributes:
        endpoints: The servers.
        budget: How many requests may be sent again.
        names: Those of inserts.
        renew: Gets other credentials than those that were refused; tells whether there are any.
        check_open: Raises if the session was closed.
        pause: Waits; raises if the session is closed meanwhile.
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
    """One attempt: to whom, and what was known of him by then; by whom, and what it cost."""

    endpoint: Endpoint
    features: Features
    credentials: Credentials
    trace: Trace
