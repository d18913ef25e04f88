"""What is refused, and what the client is told of it."""

from __future__ import annotations

from collections.abc import Mapping

from ..exceptions import ConnectorDBError


class Refusal(ConnectorDBError):
    """
    The request is refused, with this status and text; nothing was changed.

    Attributes:
        status: The HTTP status.
        message: What clients are told.
        headers: Of the answer, besides those that all have.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
