"""The reply to a request."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Reply(NamedTuple):
    """
    An HTTP answer.

    Attributes:
        status: The HTTP status.
        body: The body, uncompressed.
        headers: The headers; their names may be in upper or lower case.
        address: The server it came from, as the user gave it; empty if the caller names the server in its errors itself.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})
    address: str = ""
