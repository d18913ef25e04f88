"""What is told of each request that was answered: to the log if that is wanted, and to the metrics."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .metrics import Metrics

log = logging.getLogger(__name__)


class Observer:
    """
    Told of each request.

    Args:
        log_requests: Whether each is logged.
    """

    def __init__(self, *, log_requests: bool = False) -> None:
        self._log_requests = log_requests
        self._metrics: Metrics | None = None
        self.wanted = log_requests

    def count(self, metrics: Metrics) -> None:
        """Have requests counted from now on."""
        self._metrics = metrics
        self.wanted = True

    def answered(
        self, method: str, path: str, status: int, seconds: float, *, received: int, sent: int, address: str
    ) -> None:
        """
        Take note of a request.

        Args:
            method: The verb.
            path: The path, without the query, which may hold a key.
            status: The answer's status.
            seconds: How long it took.
            received: Bytes of its body.
            sent: Bytes of the answer's body.
            address: Where the client is.
        """
        if self._metrics is not None:
            self._metrics.answered(method, path, status, seconds, received, sent)
        if self._log_requests:
            details = {"status": status, "method": method, "path": path, "address": address, "bytes": sent}
            details["seconds"] = round(seconds, 6)
            log.info("%s %s: %d, %.1f ms, from %s", method, path, status, seconds * 1000, address, extra=details)
