"""One callback for many streams, including those that a device gets later."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import replace

from ..exceptions import ClosedError, ConnectorDBError, LocalProtocolError
from ..protocol import rest, restamp
from ..protocol.paths import Path
from .closing import Closing, by_its_process
from .device_streams import DeviceStreams
from .live import Live
from .options import Options
from .watching import Callback, Subscription

log = logging.getLogger(__name__)

#: At the end of a path, this stands for all streams of a device.
_ALL = "/*"

#: Seconds after which a deleted stream of a device that is watched whole is forgotten: there may be new ones every day.
_FORGOTTEN = 3600.0


class ManySubscriptions(Closing):
    """
    What subscribing to many streams returns. It ends with `close`, or at the end of a ``with`` block.

    Args:
        live: The subscriptions of the caller.
        callback: Called with the path of a stream and its points: those of one stream in order, those of several streams at once.
        options: What else the subscriber chose.
        named: The paths of streams that are never forgotten.
    """

    def __init__(self, live: Live, callback: Callback, options: Options, named: Collection[str] = ()) -> None:
        self._live, self._callback, self._options, self._named = live, callback, options, frozenset(named)
        # guards the three below
        self._lock = threading.Lock()
        self._by_path: dict[str, Subscription | None] = {}
        self._looking: list[DeviceStreams] = []
        self._closed = False

    @property
    def streams(self) -> dict[str, Subscription]:
        """The streams that are watched now, by path; without those that are gone, which are still looked for."""
        with self._lock:
            return {path: each for path, each in self._by_path.items() if each is not None and each.state != "gone"}

    @by_its_process
    def close(self) -> None:
        """
        End all of them. Once this has returned, the callback is not running. Calling it twice does nothing.

        Raises:
            TimedOut: A callback is still running; it will not be called again.
        """
        with self._lock:
            self._closed = True
            looking, self._looking = self._looking, []
            ended, self._by_path = [each for each in self._by_path.values() if each is not None], {}
        with ExitStack() as ending:  # all of them are closed, even if one raises because its callback does not end
            for subscription in ended:
                ending.callback(subscription.close)
            for device in looking:  # the stack closes what was added last first
                ending.callback(device.close)

    def __repr__(self) -> str:
        """Say what is watched."""
        return f"<ManySubscriptions to {', '.join(map(repr, self.streams)) or 'nothing yet'}>"

    # --- for `subscribe_to_many` --------------------------------------------------------------------------------------

    def watch(self, path: Path, wait: bool, options: Options | None = None) -> None:
        """Watch a stream, unless that is done already."""
        with self._lock:
            if self._closed or str(path) in self._by_path:
                return
            self._by_path[str(path)] = None  # so that no other thread subscribes to it as well
        try:
            made = self._live.subscribe(path, self._callback, options=options or self._options, add=True, wait=wait)
        except BaseException:
            with self._lock:
                self._by_path.pop(str(path), None)
            raise
        with self._lock:
            if not self._closed:
                self._by_path[str(path)] = made
                return
        made.close()

    def watch_device(self, device: Path, call: restamp.Call, names: Collection[str], wait: bool) -> None:
        """Watch the streams of a device that have these *names*, and, from their first point on, those that it gets later."""
        for name in names:
            self.watch(device / name, wait)
        looking = DeviceStreams(self._live, call, device, lambda names: self._streams_are(device, names))
        with self._lock:
            self._looking.append(looking)
        looking.start()

    def _streams_are(self, device: Path, names: Collection[str]) -> None:
        # a stream that is no longer listed stays for long: its subscription notices by itself that it is gone, and when it is back
        listed = {str(device / name) for name in names}
        with self._lock:
            new = [] if self._closed else sorted(listed - self._by_path.keys())
            deleted = {
                path: each
                for path, each in self._by_path.items()
                if path.startswith(f"{device}/") and path not in listed | self._named
                if each is not None and each.is_deleted_for(_FORGOTTEN)
            }
            for path in deleted:
                del self._by_path[path]
        for path, subscription in deleted.items():
            log.info("live: %s is forgotten", path)
            subscription.close()
        whole = replace(self._options, since=0)
        for path in new:
            try:
                self.watch(Path.parse(path), False, whole)
            except ClosedError:
                return
            except ConnectorDBError as error:
                log.warning("live: %r: %s", self, error)


def subscribe_to_many(
    live: Live, call: restamp.Call, paths: Sequence[str], callback: Callback, options: Options, wait: bool
) -> ManySubscriptions:
    """
    Call *callback* with what is inserted at any of *paths*.

    Args:
        live: The subscriptions of the caller.
        call: Sends a REST request.
        paths: Streams, downlinks, and ``"user/device/*"``, which stands for all streams that the device has, or will have.
        callback: As for `Live.subscribe`.
        options: As for `Live.subscribe`.
        wait: As for `Live.subscribe`.

    Raises:
        LocalProtocolError: A path is not valid, or *remember* is given, which is for one stream.
        NotFound, PermissionDenied: A stream or device does not exist, or not for this caller.
        ConnectionFailed: The server is away.
    """
    if isinstance(paths, str):
        raise LocalProtocolError(f"{paths!r} is one path: expected a list of paths")
    if options.remember is not None:
        raise LocalProtocolError("remember= keeps the place in one stream: subscribe to each by itself")
    devices = [Path.parse(path.removesuffix(_ALL)) for path in paths if path.endswith(_ALL)]
    for device in devices:
        if device.depth != 2:
            raise LocalProtocolError(f"'{device}/*': only a device's streams can be watched all, as 'user/device/*'")
    streams = [Path.parse(path) for path in paths if not path.endswith(_ALL)]
    made = ManySubscriptions(live, callback, options, [str(path) for path in streams])
    try:
        for path in streams:
            made.watch(path, wait)
        for device in devices:
            names = [fields["name"] for fields in call(rest.list_streams(device))]
            made.watch_device(device, call, names, wait)
    except BaseException:
        made.close()
        raise
    return made
