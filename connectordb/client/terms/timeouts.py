"""`Timeout`: how long a call may take, phase by phase and as a whole."""

from __future__ import annotations

import math
import threading
from typing import Any

from ...exceptions import LocalProtocolError
from ...protocol.constants import SERVER_IDLE_TIMEOUT
from ...runtime.clock import SYSTEM, Clock, Deadline
from .frozen import Frozen

#: How many connections to one server a session may have.
POOL_SIZE = 64

#: Seconds after which an unused connection is not used again, as an original server closes it a second later.
IDLE_TIMEOUT = SERVER_IDLE_TIMEOUT - 1.0

#: Seconds for a whole call by default; more if its phases together have more.
_WHOLE = 300.0


class Timeout(Frozen):
    """
    How long a call may take, in seconds.

    The first four limit a phase of a single request. `total` limits the call: all attempts, the pauses between them, and the whole
    answer, however slowly it trickles in. The first limit that is exceeded ends the call with `TimedOut`, whose ``phase`` tells
    where it was.

    Attributes:
        connect: For a new connection: looking up the name, reaching the server (or the proxy), and the TLS handshake.
        read: For the next bytes of the answer to come.
        write: For the network to accept the next bytes of the request.
        pool: For a connection to become free, if other threads use them all.
        total: For all of it, but for the time in which the program works on points of an answer that is still coming. By default
            five minutes, or the sum of the others if that is longer; for an answer of which points are used while it comes, the
            default only limits the time until it begins. ``math.inf`` for no limit.

    Raises:
        LocalProtocolError: One of them is not a number above 0, or one other than `total` is infinite.
    """

    __slots__ = ("connect", "pool", "read", "total", "write")

    connect: float
    read: float
    write: float
    pool: float
    total: float | None

    def __init__(
        self,
        connect: float = 10.0,
        read: float = 60.0,
        write: float = 60.0,
        pool: float = 60.0,
        total: float | None = None,
    ) -> None:
        values = {"connect": connect, "read": read, "write": write, "pool": pool, "total": total}
        for name, value in values.items():
            if not (_is_duration(value) or name == "total" and (value is None or value == math.inf)):
                raise LocalProtocolError(
                    f"Timeout({name}={value!r}): expected seconds, above 0"
                    + (", or math.inf for no end" if name == "total" else " and finite")
                )
            object.__setattr__(self, name, value)

    def _values(self) -> tuple[Any, ...]:
        return self.connect, self.read, self.write, self.pool, self.total

    def __repr__(self) -> str:
        connect, read, write, pool, total = self._values()
        return f"Timeout(connect={connect:g}, read={read:g}, write={write:g}, pool={pool:g}, total={total})"

    @classmethod
    def of(cls, given: Timeout | float | tuple[float, float] | None) -> Timeout:
        """
        Return the value of an argument ``timeout=``.

        Args:
            given: A `Timeout`; seconds for the whole call, and so for each of its phases; a pair of seconds, as in requests, for
                connecting and for the server's next bytes (`read` and `write`); or ``None`` for the default.

        Raises:
            LocalProtocolError: It is none of these.
        """
        if given is None:
            return DEFAULT
        if isinstance(given, cls):
            return given
        if isinstance(given, (int, float)) and _is_duration(given):
            return cls(given, given, given, given, given)
        if isinstance(given, (tuple, list)) and len(given) == 2 and all(map(_is_duration, given)):
            connect, read = given
            return cls(connect=connect, read=read, write=read)
        raise LocalProtocolError(
            f"timeout={given!r}: expected a Timeout, seconds, or a pair of them (to connect, to answer), each above 0 and finite"
        )

    @property
    def whole(self) -> float:
        """The seconds for a whole call; infinite if there is no limit."""
        if self.total is not None:
            return self.total
        return max(_WHOLE, self.connect + self.read + self.write + self.pool)

    def deadline(self, clock: Clock = SYSTEM) -> Deadline:
        """Return the deadline of a call that begins now."""
        return Deadline(None if self.whole == math.inf else self.whole, clock)


def _is_duration(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < threading.TIMEOUT_MAX


#: What holds if nothing is passed.
DEFAULT = Timeout()
