"""What comes back for a request."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Reply(NamedTuple):
    """
    An answer.

    Attributes:
        status: The HTTP status.
        body: The body, uncompressed.
        headers: With names in any spelling.
        address: Where it came from, as a user gave it; empty where the caller says that himself.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})
    address: str = ""
