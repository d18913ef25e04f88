"""The exception for a request that is refused, with what the client is told."""

from __future__ import annotations

from collections.abc import Mapping

from ..exceptions import ConnectorDBError


class Refusal(ConnectorDBError):
    """
    The request is refused, with this status and text; nothing was changed.

    Attributes:
        status: The HTTP status.
        message: What the client is told.
        headers: Headers of the answer, besides those that every answer has.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
