"""The port on which Prometheus asks for figures: ``GET /metrics``, and nothing else."""

from __future__ import annotations

import logging
import socket
from http import HTTPStatus

from aiohttp import web

from ..config import Limits
from ..operation.metrics import CONTENT_TYPE, Metrics
from .answers import Answers
from .connections import Connections
from .door import Bounds, Door

log = logging.getLogger(__name__)

#: The most connections: more than Prometheus needs, and few, as anybody can connect.
_CONNECTIONS = 20


class MetricsPort:
    """
    Serves the server's figures. Used on the event loop's thread only.

    Args:
        metrics: The figures.
        answers: Makes all other answers.
        limits: How long clients may take.
    """

    def __init__(self, metrics: Metrics, answers: Answers, limits: Limits) -> None:
        self._metrics = metrics
        self._answers = answers
        self._connections = Connections(self._handle, answers.error, answers.raw, limits)
        bounds = Bounds(_CONNECTIONS, _CONNECTIONS, limits.header_seconds)
        self._door = Door(self._connections.welcome, answers.farewell, bounds)

    def start(self, listener: socket.socket) -> None:
        """Accept connections of a listening socket."""
        self._door.open(listener)

    async def stop(self) -> None:
        """Accept no more connections, and close those that there are."""
        await self._door.close()
        await self._connections.stop(0.0)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/metrics":
            return self._answers.error(HTTPStatus.NOT_FOUND, "the figures are at /metrics")
        if request.method not in ("GET", "HEAD"):
            return self._answers.error(HTTPStatus.METHOD_NOT_ALLOWED, "figures can only be read: GET /metrics")
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})
