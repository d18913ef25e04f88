"""What feeds mirrors: a subscription for each stream, which brings the points that exist and those that come."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta

from ...exceptions import ConnectorDBError, PointsMissed, TimedOut
from ...protocol import rest, restamp
from ...protocol.paths import Path
from ...protocol.ranges import read_parameters
from ...runtime.clock import SYSTEM, Clock, Deadline
from ..device_streams import DeviceStreams
from ..handing import Batch
from ..live import Live
from ..options import GoneReason, Options, State
from .device_mirror import DeviceMirror
from .kept import Keep
from .listeners import OnError
from .mirror import Mirror

log = logging.getLogger(__name__)

#: Why the mirror of a stream that is not stored is stale if it missed points.
_MISSED = "points missed"


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
        keep: How much it holds: a number of points (an ``int``), or a span of time (a ``timedelta``, or seconds as a ``float``).
        wait: Return once it holds the points that exist; otherwise at once.
        on_error: Called with what a user's function raises, and with what goes wrong later.
        clock: The clocks.

    Raises:
        NotFound, PermissionDenied: The stream does not exist, or not for this caller (only with *wait*).
        ConnectionFailed: The server is away (only with *wait*).
        LocalProtocolError: *keep* is not valid.
    """
    asked = Keep.of(keep)
    mirror = Mirror(path, asked, lane=live.lane, clock=clock, on_error=on_error)
    feed = Feed(live, call, path, asked, mirror, on_error)
    feed.start(wait)
    if wait:
        _wait_for([feed], mirror, live.deadline())
    return mirror


def mirror_device(
    live: Live,
    call: restamp.Call,
    path: Path,
    keep: float | timedelta,
    *,
    on_error: OnError | None = None,
    clock: Clock = SYSTEM,
) -> DeviceMirror:
    """
    Return the mirrors of the streams of the device at *path*, filled.

    The arguments are those of `mirror_stream`.

    Raises:
        NotFound, PermissionDenied: The device does not exist, or not for this caller.
        ConnectionFailed: The server is away.
        LocalProtocolError: *keep* is not valid.
    """
    asked = Keep.of(keep)
    feeds: list[Feed] = []

    def begin(name: str, join: Callable[[Mirror], None]) -> Mirror:
        mirror = Mirror(path / name, asked, lane=live.lane, clock=clock, on_error=on_error)
        join(mirror)
        feed = Feed(live, call, path / name, asked, mirror, on_error)
        feed.start(wait=False)
        if len(mirrors) == 0:  # one of the first, which are waited for
            feeds.append(feed)
        return mirror

    mirrors = DeviceMirror(path, lane=live.lane, begin=begin)
    watching = DeviceStreams(live, call, path, mirrors.streams_are)
    mirrors.end_watch = watching.close
    try:
        # in this order: if a stream is created in between, the server's log of changes tells of it
        watching.start()
        mirrors.streams_are([fields["name"] for fields in call(rest.list_streams(path))])
        live.connect()
    except BaseException:
        mirrors.close()
        raise
    _wait_for(feeds, mirrors, live.deadline())
    return mirrors


def _wait_for(feeds: Iterable[Feed], mirror: Mirror | DeviceMirror, deadline: Deadline) -> None:
    """Wait until a mirror holds the points that exist; if that takes too long, or is interrupted, close the mirror."""
    try:
        for feed in feeds:
            feed.wait(deadline)
    except BaseException:
        mirror.close()
        raise


class Feed:
    """
    Passes on to a mirror what its subscription says.

    Args:
        live: The subscriptions of the caller.
        call: Sends a REST request.
        path: The stream.
        keep: How much the mirror holds.
        mirror: The mirror.
        on_error: Called with what goes wrong.
    """

    def __init__(
        self, live: Live, call: restamp.Call, path: Path, keep: Keep, mirror: Mirror, on_error: OnError | None = None
    ) -> None:
        self._live, self._call, self._path, self._keep = live, call, path, keep
        self._mirror = mirror
        self._on_error = on_error
        self._primed = threading.Event()
        self._reason = "gone"
        self._has_missed = False

    def start(self, wait: bool) -> None:
        """Subscribe; *wait* until the server has obeyed."""
        options = Options(
            since=self._keep.since,
            private=True,
            on_state=self._comes_to,
            on_gone=self._is_gone,
            on_error=self._failed,
        )
        subscription = self._live.subscribe(self._path, self._came, options=options, add=True, wait=wait)
        self._mirror.end_feed = subscription.close

    def wait(self, deadline: Deadline) -> None:
        """
        Wait until the mirror holds the points that exist, or it is known that it cannot.

        Raises:
            TimedOut: That takes too long.
        """
        if not self._primed.wait(deadline.left()):
            raise TimedOut(f"the mirror of {str(self._path)!r} was not filled in time; try again, or wait=False")

    def _came(self, path: str, batch: Batch) -> None:
        self._mirror.take(batch, batch.first_index)
        if self._has_missed:  # what was missed is older than this batch, so the newest point is known again
            self._has_missed = False
            self._mirror.is_fresh()

    def _is_gone(self, reason: GoneReason) -> None:
        if reason in ("recreated", "cleared"):
            self._mirror.begins_anew()
        self._reason = reason

    def _comes_to(self, state: State) -> None:
        if state == "live":
            self._read_old()
            if self._has_missed:
                self._mirror.goes_stale(_MISSED)
            else:
                self._mirror.is_fresh()
        elif state == "closed":
            self._mirror.has_ended()
        # a fresh mirror stays fresh while it catches up: that may just be a check that nothing was left out
        elif state != "catching up" or self._mirror.is_stale:
            self._mirror.goes_stale(self._reason if state == "gone" else state)
        if state not in ("connecting", "catching up"):
            self._primed.set()

    def _failed(self, error: Exception) -> None:
        self._primed.set()
        if isinstance(error, PointsMissed):
            self._has_missed = True
            self._mirror.goes_stale(_MISSED)
        if self._on_error is None:
            log.error("the mirror of %r: %s", str(self._path), error)
        else:
            self._on_error(error)

    def _read_old(self) -> None:
        """If a span of time is kept, and no point is that young, read the newest point."""
        if self._keep.number is not None or self._mirror.point is not None:
            return
        try:
            newest = self._call(rest.points(self._path, read_parameters({"i1": -1})))
        except ConnectorDBError as error:
            self._failed(error)
            return
        for point in newest:
            self._mirror.take_old(point)
