"""What a server's refusals mean: which exception stands for a 4xx, by its message and its status."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..exceptions import (
    AuthenticationError,
    Conflict,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ResponseError,
    ServerTrouble,
)

#: What a message means, first match first; without a match: `BY_STATUS`. Source: ``docs/topics/wire.rst``, "Errors".
_REFUSALS: tuple[tuple[str, type[AuthenticationError]], ...] = (
    (r"The requested \w+ was not found\.|was not found, so it was not deleted", NotFound),
    (r"[Pp]ermission", PermissionDenied),
    (r"Can't access this resource|Write access to stream", PermissionDenied),
    (r"already exists|duplicate key|UNIQUE constraint", Conflict),
    (r"limit was reached|Exceeded |[Ll]imit exceeded", PermissionDenied),
)

#: What the status alone means.
BY_STATUS: Mapping[int, type[AuthenticationError]] = {
    401: AuthenticationError,
    403: InvalidRequest,
    404: NotFound,
    405: InvalidRequest,
    409: Conflict,
    429: PermissionDenied,
}

#: With these begin 4xx that tell of the server's own trouble, but for those of `_VALUES`.
_TROUBLES = r"pq: |database is locked|redis: |msgpack: |read tcp .*timeout"

#: What a database says of a value.
_VALUES = r"pq: (duplicate key|value too long|invalid input|invalid byte)"


def kind_of(status: int, message: str) -> type[ResponseError]:
    """Return the exception that a 4xx stands for, with a message of the protocol's own form."""
    if re.match(_TROUBLES, message) and not re.match(_VALUES, message):
        return ServerTrouble
    if status in (403, 404):
        for pattern, meaning in _REFUSALS:
            if re.search(pattern, message):
                # a 404 is "not there or not yours to see" whatever its words, but for the one about listing users
                return NotFound if status == 404 and "list users" not in message else meaning
    return BY_STATUS.get(status, InvalidRequest)
