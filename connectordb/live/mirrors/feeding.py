"""What feeds a mirror: one subscription, which brings what was there and what comes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

from ...exceptions import ConnectorDBError
from ...protocol import rest, restamp
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ...protocol.ranges import range_fields, read_parameters
from ...runtime.clock import SYSTEM, Clock
from ..live import Live
from .kept import Keep
from .listeners import OnError
from .mirror import Mirror


def mirror_stream(
    live: Live,
    call: restamp.Call,
    path: Path,
    keep: float | timedelta,
    *,
    wait: bool = True,
    on_error: OnError | None = None,
    clock: Clock = SYSTEM,
) -> Mirror:
    """
    Return a mirror of the stream at *path*.

    Args:
        live: The subscriptions of the caller.
        call: Sends a REST request.
        path: A stream, or a stream's downlink.
        keep: How much it holds: a number of points (an ``int``), a span, or seconds (a ``float``).
        wait: Return when it holds what is there; otherwise at once.
        on_error: Called with what a user's function raises.
        clock: The clocks.

    Raises:
        NotFound, PermissionDenied: The stream is not there, or not for this caller (only with *wait*).
        ConnectionFailed: The server is away (only with *wait*).
        LocalProtocolError: *keep* is none.
    """
    asked = Keep.of(keep)
    mirror = Mirror(path, asked, lane=live._pool.lane, clock=clock, on_error=on_error)
    _Feed(live, call, path, asked, mirror, clock).start(wait)
    return mirror


class _Feed:
    """The points that were there, then those that come; each once."""

    def __init__(self, live: Live, call: restamp.Call, path: Path, keep: Keep, mirror: Mirror, clock: Clock) -> None:
        self._live, self._call, self._path, self._keep = live, call, path, keep
        self._mirror = mirror
        self._clock = clock
        # guards the two below
        self._lock = threading.Lock()
        self._early: list[Datapoint] = []
        self._is_primed = False

    def start(self, wait: bool) -> None:
        """Subscribe, and read what is there."""
        subscription = self._live.subscribe(self._path, self._came, add=True, wait=wait)
        self._mirror.end_feed = subscription.close
        try:
            self._read()
        except ConnectorDBError:
            if wait:
                self._mirror.close()
                raise

    def _came(self, path: str, points: Sequence[Datapoint]) -> None:
        with self._lock:
            if not self._is_primed:
                self._early += points
                return
        self._mirror.take(points)

    def _read(self) -> None:
        given = self._keep.since
        now = self._clock.wall()
        fields = range_fields(now=now, i1=given) if isinstance(given, int) else range_fields(now=now, t1=given)
        points = self._call(rest.points(self._path, read_parameters({"i1": -1})))
        held = self._call(rest.points(self._path, read_parameters(fields))) or points
        with self._lock:
            self._is_primed = True
            self._mirror.take([*held, *(point for point in self._early if not held or point["t"] > held[-1]["t"])])
        self._mirror.is_fresh()
