"""
May this request be sent again, to whom, and after how long? A value, a table, and nothing else.

Rows are what was asked for, columns what became of it:

=====================  ============  ==============  ==================  ==============  ===============  ===============
what was asked for     not sent, or  not done, says  the connection      somebody        the server's     no answer in
                       not whole     the server      broke               between failed  own trouble      time
=====================  ============  ==============  ==================  ==============  ===============  ===============
to read                again         again           again               again           again            elsewhere
to insert, by a name   again         again           again               again           again            again
to insert              again         again           unknown             tell            tell             unknown
anything else          again         again           tell                tell            tell             tell
=====================  ============  ==============  ==================  ==============  ===============  ===============

- To read: ``GET``, and queries over several streams, which are a ``POST`` and change nothing.
- By a name: with an ``Idempotency-Key``, sent to a server that says it knows such names. The same server is asked again, with the
  same name and body.
- Not done, says the server: 429, and a 503 with a reference, which both kinds of servers say before they have done anything.
- Somebody between: 502, 504, and a 503 without a reference: a proxy's, who may have passed the request on.
- The server's own trouble: a 4xx that tells of its database (`ServerTrouble`).
- Not sent: where it was the server's certificate that is not trusted, another server is tried, and the same one is not.
- Elsewhere: at another server if there is one. The one that was silent was given the time that the caller chose.
- Unknown: whether the points are stored cannot be told from this; and they are not sent again. Where the answer is somebody's who
  does not know either ("tell"), whoever inserts looks at the stream (`connectordb.protocol.restamp`).

How often and when: `Retry`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum

from ...exceptions import LocalProtocolError, ResponseError, ServerTrouble
from ...protocol.rest import Request
from .frozen import Frozen

#: The status of a server that wants to be left alone, and of one that does so for everybody.
_TOO_MANY, _UNAVAILABLE = 429, 503

#: What proxies say of a server that they got no answer from, or do not know to be there.
_BETWEEN = (502, _UNAVAILABLE, 504)

#: With this begins a trouble that lasts: a stored point that cannot be read.
_LASTING = "msgpack:"


class Kind(Enum):
    """What was asked for."""

    READ = "to read"
    NAMED = "to insert, by a name"
    INSERT = "to insert"
    CHANGE = "anything else"


class Fate(Enum):
    """What became of a request that was not answered as it should be."""

    UNSENT = "nothing of it was sent, or not all"
    LATER = "the server did nothing, and says so"
    BROKEN = "the connection broke before the answer was there"
    BETWEEN = "somebody between got no answer"
    TROUBLE = "the server has trouble of its own"
    SILENT = "no answer came in time"


class Verdict(Enum):
    """What to do about it."""

    AGAIN = "send it again"
    ELSEWHERE = "send it to another server, if there is one"
    TELL = "tell the caller that it failed"
    UNKNOWN = "tell the caller that the outcome is unknown"


_TABLE: dict[Kind, dict[Fate, Verdict]] = {
    Kind.READ: {Fate.SILENT: Verdict.ELSEWHERE},
    Kind.NAMED: {},
    Kind.INSERT: {
        Fate.BROKEN: Verdict.UNKNOWN,
        Fate.BETWEEN: Verdict.TELL,
        Fate.TROUBLE: Verdict.TELL,
        Fate.SILENT: Verdict.UNKNOWN,
    },
    Kind.CHANGE: {
        Fate.BROKEN: Verdict.TELL,
        Fate.BETWEEN: Verdict.TELL,
        Fate.TROUBLE: Verdict.TELL,
        Fate.SILENT: Verdict.TELL,
    },
}

#: After these nobody knows whether it was done.
DOUBTFUL = frozenset({Fate.BROKEN, Fate.BETWEEN, Fate.TROUBLE, Fate.SILENT})


def kind_of(request: Request[object], is_named: bool) -> Kind:
    """Return what was asked for; *is_named*: with a name that the server knows."""
    if request.reads:
        return Kind.READ
    if not request.inserts:
        return Kind.CHANGE
    return Kind.NAMED if is_named else Kind.INSERT


def fate_of(refused: ResponseError) -> Fate | None:
    """Return what became of a request that was refused with this; ``None`` if it was refused for good."""
    if refused.status == _TOO_MANY or (refused.status == _UNAVAILABLE and refused.ref):
        return Fate.LATER
    if refused.status in _BETWEEN:
        return Fate.BETWEEN
    if isinstance(refused, ServerTrouble) and not refused.message.startswith(_LASTING):
        return Fate.TROUBLE
    return None


def judge(kind: Kind, fate: Fate | None) -> Verdict:
    """Say what to do after a request came to nothing: the table."""
    return Verdict.TELL if fate is None else _TABLE[kind].get(fate, Verdict.AGAIN)


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
