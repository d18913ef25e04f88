"""How often a request is sent that may be sent again, and after how long: a value."""

from __future__ import annotations

import math
from collections.abc import Callable

from ...exceptions import LocalProtocolError
from .frozen import Frozen


class Retry(Frozen):
    """
    How often a request is sent that may be sent again, and after which pauses; not to be changed once made.

    The pause before an attempt is anything from 0 to a bound (full jitter, so that a fleet does not come back at once), and the bound
    doubles each time. To this is added what the server asks for in ``Retry-After``. Nothing is waited for that would be over only
    after the time that the call has (``timeout``): then it fails at once.

    With several servers, another one is asked without a pause; and one that nothing could be sent to does not count.

    Attributes:
        max_attempts: So many in all; 1, or less, for none but the first.
        max_backoff: What the bound never exceeds, in seconds.
        first_backoff: The bound of the first pause.
        budget: Of all requests of a connection, so many may be sent again, as a share, beyond a few; ``None`` for no limit. When a
            server that everybody uses breaks down, this keeps it from being asked three times as much.

    Raises:
        LocalProtocolError: One of them is no such number.
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
        Return what a caller means who passes ``retry=``: a `Retry`, how many attempts there may be, or ``None`` for what is usual.

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
        """Return the seconds of the pause with this *number*, counted from 1; *random* returns something in [0, 1)."""
        return min(self.max_backoff, self.first_backoff * 2.0 ** min(number - 1, 60)) * random()

    def _values(self) -> tuple[int, float, float, float | None]:
        return self.max_attempts, self.max_backoff, self.first_backoff, self.budget

    def __repr__(self) -> str:
        """Return how it is written."""
        return "Retry(max_attempts={}, max_backoff={}, first_backoff={}, budget={})".format(*self._values())


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf


#: What a call has that is given nothing else.
DEFAULT = Retry()
