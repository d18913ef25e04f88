"""How long a call may wait, and for what: a value that says it phase by phase, and for the whole."""

from __future__ import annotations

import math
import threading
from typing import Any

from ...exceptions import LocalProtocolError
from ...protocol.constants import SERVER_IDLE_TIMEOUT
from ...runtime.clock import SYSTEM, Clock, Deadline
from .frozen import Frozen

#: How many connections to a server there may be, of one caller.
POOL_SIZE = 64

#: Seconds after which a connection that was kept open is not used again: the original closes it soon after.
IDLE_TIMEOUT = SERVER_IDLE_TIMEOUT - 1.0

#: Seconds that a whole call has unless it is said, or its phases together have more.
_WHOLE = 300.0


class Timeout(Frozen):
    """
    How long a call may take, in seconds.

    The first four are about one phase of one request; `total` is about the call: every attempt, every pause between them, and
    the whole answer, however slowly it trickles in. Whatever is over first ends the call with `TimedOut`, whose ``phase`` tells
    in what it was.

    Attributes:
        connect: For a new connection to stand: the name looked up, the server (or the proxy) reached, TLS agreed upon.
        read: For the next bytes of the answer to come.
        write: For the network to take the next bytes of the request.
        pool: For one of the connections to be free, where other threads use them all.
        total: For all of it; but not the time in which a program works on the points of an answer that still comes. By default five
            minutes, or the sum of the others where that is longer, and for such an answer until it begins to come;
            ``math.inf`` for no end.

    Raises:
        LocalProtocolError: One of them is no number above 0, or is infinite and not `total`.
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
        Return what a caller means who passes ``timeout=``.

        Args:
            given: A `Timeout`; seconds for the whole call, which no phase of it exceeds; a pair of seconds, as requests has it:
                for connecting, and for the server to go on (`read` and `write`); or ``None`` for what is usual.

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
        """The seconds of a whole call; infinite if there is no end to it."""
        if self.total is not None:
            return self.total
        return max(_WHOLE, self.connect + self.read + self.write + self.pool)

    def deadline(self, clock: Clock = SYSTEM) -> Deadline:
        """Return when a call is over that begins now."""
        return Deadline(None if self.whole == math.inf else self.whole, clock)


def _is_duration(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < threading.TIMEOUT_MAX


#: What a call has that is given nothing else.
DEFAULT = Timeout()
