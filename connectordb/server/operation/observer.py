"""Reporting each request that was answered: to the metrics, and to the log if that is wanted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .metrics import Metrics

log = logging.getLogger(__name__)


class Observer:
    """
    Reports requests.

    Args:
        log_requests: Whether to log each request.
    """

    def __init__(self, *, log_requests: bool = False) -> None:
        self._log_requests = log_requests
        self._metrics: Metrics | None = None
        self.wanted = log_requests

    def count(self, metrics: Metrics) -> None:
        """Count requests from now on."""
        self._metrics = metrics
        self.wanted = True

    def answered(
        self, method: str, path: str, status: int, seconds: float, *, received: int, sent: int, address: str
    ) -> None:
        """
        Report a request.

        Args:
            method: The HTTP method.
            path: The path, without the query, which may contain an API key.
            status: The status of the answer.
            seconds: How long it took.
            received: Bytes of the request's body.
            sent: Bytes of the answer's body.
            address: The client's address.
        """
        if self._metrics is not None:
            self._metrics.answered(method, path, status, seconds, received, sent)
        if self._log_requests:
            details = {"status": status, "method": method, "path": path, "address": address, "bytes": sent}
            details["seconds"] = round(seconds, 6)
            log.info("%s %s: %d, %.1f ms, from %s", method, path, status, seconds * 1000, address, extra=details)
