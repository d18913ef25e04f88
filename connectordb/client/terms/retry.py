"""`Retry`: how often a request that may be repeated is sent, and after which pauses."""

from __future__ import annotations

import math
from collections.abc import Callable

from ...exceptions import LocalProtocolError
from .frozen import Frozen


class Retry(Frozen):
    """
    How often a request that may be repeated is sent, and after which pauses. It is immutable.

    Each pause is random, between 0 and a limit that doubles from pause to pause; so a fleet of clients does not come back all at
    once. The time that the server asks for in ``Retry-After`` is added. If a pause would last beyond the call's ``timeout``, the
    call fails at once instead.

    With several servers, the next one is tried without a pause, and an attempt at a server that could not be reached does not count.

    Attributes:
        max_attempts: The number of attempts in all; with 1 or less there is no second one.
        max_backoff: What the limit never exceeds, in seconds.
        first_backoff: The limit of the first pause, in seconds.
        budget: The share of a connection's requests that may be retried, beyond a few; ``None`` for no limit. It keeps the clients
            of a server in trouble from sending it three times as many requests.

    Raises:
        LocalProtocolError: One of them is not valid.
    """

    __slots__ = ("budget", "first_backoff", "max_attempts", "max_backoff")

    max_attempts: int
    max_backoff: float
    first_backoff: float
    budget: float | None

    def __init__(
        self,
        max_attempts: int = 3,
        max_backoff: float = 20.0,
        first_backoff: float = 0.5,
        budget: float | None = 0.2,
    ) -> None:
        if isinstance(max_attempts, bool) or not isinstance(max_attempts, int):
            raise LocalProtocolError(f"Retry(max_attempts={max_attempts!r}): expected an integer; 1 for no retries")
        given = {"max_backoff": max_backoff, "first_backoff": first_backoff, "budget": budget}
        for name, value in given.items():
            if not (_is_number(value) or (name == "budget" and value is None)):
                raise LocalProtocolError(f"Retry({name}={value!r}): expected a number, 0 or above, and finite")
        for name, value in {"max_attempts": max_attempts, **given}.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, given: Retry | int | None) -> Retry:
        """
        Return the value of an argument ``retry=``: a `Retry`, a number of attempts, or ``None`` for the default.

        Raises:
            LocalProtocolError: It is none of these.
        """
        if given is None:
            return DEFAULT
        if isinstance(given, cls):
            return given
        if isinstance(given, int) and not isinstance(given, bool):
            return cls(max_attempts=given)
        raise LocalProtocolError(
            f"retry={given!r}: expected a Retry, or how many attempts there may be; 1 for no retries"
        )

    def pause(self, number: int, random: Callable[[], float]) -> float:
        """Return the seconds of pause number *number*, counted from 1; *random* returns a number in [0, 1)."""
        return min(self.max_backoff, self.first_backoff * 2.0 ** min(number - 1, 60)) * random()

    def _values(self) -> tuple[int, float, float, float | None]:
        return self.max_attempts, self.max_backoff, self.first_backoff, self.budget

    def __repr__(self) -> str:
        """Return the expression that makes it."""
        return "Retry(max_attempts={}, max_backoff={}, first_backoff={}, budget={})".format(*self._values())


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf


#: What holds if nothing is passed.
DEFAULT = Retry()
