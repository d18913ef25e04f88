"""
May this request be sent again, and to whom? A table, and nothing else.

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

How often and when: `connectordb.client.terms.retry`.
"""

from __future__ import annotations

from enum import Enum

from ...exceptions import ResponseError, ServerTrouble
from ...protocol.rest import Request

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
