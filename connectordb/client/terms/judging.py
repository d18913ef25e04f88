"""
May a request be sent again, and to which server? A table, and nothing else.

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

The rows:

- To read: ``GET``, and queries over several streams, which are a ``POST`` but change nothing.
- To insert, by a name: with an ``Idempotency-Key``, to a server that announces that it knows such keys. It is sent again to the
  same server, with the same key and body.

The columns:

- Not sent: nothing, or not all of it, was handed to the system. If the server's certificate is not trusted, only another server is
  tried.
- Not done, says the server: 429, and a 503 with a reference, which both kinds of servers answer before they do anything.
- Somebody between failed: 502, 504, and a 503 without a reference. They come from a proxy, which may have passed the request on.
- The server's own trouble: a 4xx that tells of its database (`ServerTrouble`).

The verdicts:

- again: it is sent again.
- elsewhere: it is sent to another server if there is one; the silent one has had the time that the caller allowed.
- tell: the caller is told of the failure. If it was an insert, the caller's next step is to look at the stream
  (`connectordb.protocol.restamp`).
- unknown: the caller is told that nobody knows whether the points are stored; they are not sent again.

`connectordb.client.terms.retry` says how often and when.
"""

from __future__ import annotations

from enum import Enum

from ...exceptions import ResponseError, ServerTrouble
from ...protocol.rest import Request

#: A server limits this caller; it takes no requests at all.
_TOO_MANY, _UNAVAILABLE = 429, 503

#: The statuses of a proxy that got no answer from the server.
_BETWEEN = (502, _UNAVAILABLE, 504)

#: How the message of a trouble begins that does not pass: a stored point cannot be read.
_LASTING = "msgpack:"


class Kind(Enum):
    """What was asked for."""

    READ = "to read"
    NAMED = "to insert, by a name"
    INSERT = "to insert"
    CHANGE = "anything else"


class Fate(Enum):
    """What became of a request that did not succeed."""

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

#: After these it is not known whether the request was carried out.
DOUBTFUL = frozenset({Fate.BROKEN, Fate.BETWEEN, Fate.TROUBLE, Fate.SILENT})


def kind_of(request: Request[object], is_named: bool) -> Kind:
    """Return the row of the table; *is_named* says whether there is an idempotency key that the server knows."""
    if request.reads:
        return Kind.READ
    if not request.inserts:
        return Kind.CHANGE
    return Kind.NAMED if is_named else Kind.INSERT


def fate_of(refused: ResponseError) -> Fate | None:
    """Return the column of the table for a refusal; ``None`` if the request was refused for good."""
    if refused.status == _TOO_MANY or (refused.status == _UNAVAILABLE and refused.ref):
        return Fate.LATER
    if refused.status in _BETWEEN:
        return Fate.BETWEEN
    if isinstance(refused, ServerTrouble) and not refused.message.startswith(_LASTING):
        return Fate.TROUBLE
    return None


def judge(kind: Kind, fate: Fate | None) -> Verdict:
    """Return what the table says."""
    return Verdict.TELL if fate is None else _TABLE[kind].get(fate, Verdict.AGAIN)
