"""
Figures for Prometheus. They are listed in ``docs/howto/metrics.rst``.

Requests are counted as they are answered; what the server knows anyway is looked up when Prometheus asks. This file imports
prometheus-client, so it is imported only if figures are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..routing import kind_of
from ..service import Counts
from ..storage import State
from .health import PATH as HEALTH

#: The content type of the figures.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_VERBS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"))


@dataclass(frozen=True, slots=True)
class Now:
    """
    What the server knows about itself at present.

    Attributes:
        storage: How the storage is doing.
        counts: What was done so far.
        connections: How many connections are open.
        refused_connections: How many connections were sent away so far.
        websockets: How many websockets are open.
        subscriptions: How many subscriptions these have.
        ready: Whether the server can do its work.
    """

    storage: State
    counts: Counts
    connections: int
    refused_connections: int
    websockets: int
    subscriptions: int
    ready: bool


class Metrics:
    """
    The figures of one server.

    Args:
        now: Returns what the server knows about itself.
    """

    def __init__(self, now: Callable[[], Now]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Server(now))
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "connectordb_requests",
            "Requests that were answered.",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "connectordb_request_seconds",
            "Seconds from a request to its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._received = Counter("connectordb_received_bytes", "Bytes of requests' bodies.", registry=self._registry)
        self._sent = Counter("connectordb_sent_bytes", "Bytes of answers' bodies.", registry=self._registry)

    def answered(self, method: str, path: str, status: int, seconds: float, received: int, sent: int) -> None:
        """Count a request. A websocket is counted when it has ended, without its time."""
        route = path if path == HEALTH else kind_of(path)
        self._requests.labels(route, method if method in _VERBS else "other", str(status)).inc()
        if status != 101:
            self._seconds.labels(route).observe(seconds)
        self._received.inc(received)
        self._sent.inc(sent)

    def text(self) -> bytes:
        """Return all figures in the format of Prometheus."""
        return generate_latest(self._registry)


class _Server(Collector):
    """The figures that are looked up when Prometheus asks."""

    def __init__(self, now: Callable[[], Now]) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        now = self._now()
        storage, counts = now.storage, now.counts
        for name, meaning, value in (
            ("ready", "1 if the server could do its work.", int(now.ready)),
            ("connections", "Connections that are open.", now.connections),
            ("websockets", "Websockets that are open.", now.websockets),
            ("subscriptions", "Subscriptions of all websockets.", now.subscriptions),
            ("reads_waiting", "Reads that wait for a thread of the storage.", storage.reads_waiting),
            ("writes_waiting", "Writes that wait for the next commit.", storage.writes_waiting),
        ):
            yield GaugeMetricFamily(f"connectordb_{name}", meaning, value)
        for name, meaning, count in (
            ("refused_connections", "Connections that were sent away, as there was no room.", now.refused_connections),
            ("refused_logins", "Logins that were refused.", counts.refused_logins),
            ("inserts", "Inserts that were stored, or told to subscribers.", counts.inserts),
            ("points", "Points of inserts.", counts.points),
            ("commits", "Commits of the storage.", storage.commits),
            ("committed_writes", "Writes that were stored by them.", storage.writes),
            ("commit_seconds", "Seconds that they took.", storage.commit_seconds),
        ):
            yield CounterMetricFamily(f"connectordb_{name}", meaning, count)
