"""What a server's refusals mean: from the status and the message of an answer that is no 200 to an exception."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..exceptions import (
    AuthenticationError,
    Conflict,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ResponseError,
    ServerError,
    ServerTrouble,
)
from . import json_text
from .http_dates import retry_after
from .reply import Reply

#: The 403 for a range that ends before it begins. A caller who slices gets an empty list instead.
INVALID_RANGE = "Invalid index range."

#: The 403 for an insert that is older than what is stored.
OLDER = "Greater timestamp already exists"

#: The 403 for an insert that *is* stored, but was too large to be published.
STORED_ALL_THE_SAME = "maximum payload exceeded"

#: The 403 for emptying a downlink that never had a point.
NOTHING_TO_DELETE = "ERR value is not an integer or out of range"

#: How the 503 begins that an embedded server sends for what it did not begin in time: nothing was changed.
NOT_DONE = "Not done: "

#: The 403 for a value that the stream's schema does not allow; it does not say which value.
NOT_IN_SCHEMA = "did not conform to the stream's schema"

#: What a server says if something does not exist, or is not for the caller to see.
ABSENT = r"Can't access this resource|The requested (user|device|stream) was not found"

#: What a message means; the first match counts, and without one `_BY_STATUS`. Source: ``docs/topics/wire.rst``, "Errors".
_REFUSALS: tuple[tuple[str, type[AuthenticationError]], ...] = (
    (r"The requested \w+ was not found\.|was not found, so it was not deleted", NotFound),
    (r"[Pp]ermission", PermissionDenied),
    (r"Can't access this resource|Write access to stream", PermissionDenied),
    (r"already exists|duplicate key|UNIQUE constraint", Conflict),
    (r"limit was reached|Exceeded |[Ll]imit exceeded", PermissionDenied),
)

#: What a status means by itself.
_BY_STATUS: Mapping[int, type[AuthenticationError]] = {
    401: AuthenticationError,
    403: InvalidRequest,
    404: NotFound,
    405: InvalidRequest,
    409: Conflict,
    429: PermissionDenied,
}

#: How the messages of a 4xx begin that reports trouble of the server itself, except for `_VALUES`.
_TROUBLES = r"pq: |database is locked|redis: |msgpack: |read tcp .*timeout"

#: How the server's database complains about a value that the caller sent.
_VALUES = r"pq: (duplicate key|value too long|invalid input|invalid byte)"


def kind_of(status: int, message: str) -> type[ResponseError]:
    """Return the exception that a 4xx with this message of the protocol stands for."""
    if re.match(_TROUBLES, message) and not re.match(_VALUES, message):
        return ServerTrouble
    if status in (403, 404):
        for pattern, meaning in _REFUSALS:
            if re.search(pattern, message):
                # a 404 means "not there, or not yours to see" whatever it says, except for the one about listing users
                return NotFound if status == 404 and "list users" not in message else meaning
    return _BY_STATUS.get(status, InvalidRequest)


def says_absent(refused: NotFound) -> bool:
    """
    Tell whether the server itself says "not there, or not yours to see".

    A 404 may also be a proxy's page, or trouble with the server's database (``pq: …``).
    """
    return refused.status == 404 and re.fullmatch(rf"({ABSENT})\.", refused.message) is not None


def refusal(method: str, path: str, reply: Reply) -> ResponseError:
    """Return the exception that an answer other than 200 stands for."""
    status = reply.status
    told = _told(reply.body)
    message = told.get("msg") or _not_an_answer(reply, "")
    if not 400 <= status < 500:
        return _error(ServerError, method, path, reply, message, told)
    kind = kind_of(status, message) if told else _BY_STATUS.get(status, InvalidRequest)
    return _error(kind, method, path, reply, message, told)


def no_answer(method: str, path: str, reply: Reply, why: Exception) -> ResponseError:
    """Return the exception for a 200, perhaps cut short, whose body does not answer what was asked."""
    return _error(ServerError, method, path, reply, _not_an_answer(reply, str(why)))


def _error(
    kind: type[ResponseError],
    method: str,
    path: str,
    reply: Reply,
    message: str,
    told: Mapping[str, Any] | None = None,
) -> ResponseError:
    code, ref = (told or {}).get("code"), (told or {}).get("ref")
    return kind(
        message,
        status=reply.status,
        code=code if isinstance(code, int) else reply.status,
        ref=ref if isinstance(ref, str) else "",
        method=method,
        path=path,
        retry_after=retry_after(reply.headers) if reply.status in (429, 503) else None,
    )


def _told(body: bytes) -> dict[str, Any]:
    """Return the protocol's error object; an empty one if the body is something else, as a proxy's page is."""
    try:
        told = json_text.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) and isinstance(told.get("msg"), str) else {}


def _not_an_answer(reply: Reply, why: str) -> str:
    """Describe an answer that no ConnectorDB server gives, and say what to check."""
    if 300 <= reply.status < 400:
        where = next((value for name, value in reply.headers.items() if name.lower() == "location"), "elsewhere")
        return f"redirected to {where}; give that address as the url if it is the server's"
    shown = reply.body[:80].decode(errors="replace").strip()
    if not shown:
        return "the answer was empty" + (f" ({why})" if why else "")
    if shown.startswith("<"):
        return (
            f"answered with a web page, {' '.join(shown.split())!r}: is {reply.address or 'this'} the address of a "
            "ConnectorDB server, or is a proxy between?"
        )
    return f"answered {shown!r}" + (f", which is not what a ConnectorDB server says here ({why})" if why else "")
