"""Which streams a device has: looked up every now and then, and whenever there is a sign that this has changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from ..exceptions import ClosedError, ConnectorDBError, TimedOut
from ..protocol import rest, restamp
from ..protocol.paths import Path
from ..protocol.points import Datapoint
from ..runtime.clock import Deadline
from .following import gone_reason
from .live import Live
from .options import Options

log = logging.getLogger(__name__)

#: Seconds between looks.
PERIOD = 30.0

#: Seconds that `DeviceStreams.close` waits for a call of *streams_are*.
_PATIENCE = 10.0

#: The stream, below a user, in which a server logs what is created and deleted. A caller who may read it learns of streams at once.
_LOG = ("meta", "log")

#: The commands in that log that may concern us.
_CHANGES = frozenset(("CreateStream", "DeleteStream", "CreateDevice", "DeleteDevice"))


class DeviceStreams:
    """
    Looks up the streams of a device, again and again.

    Args:
        live: The subscriptions of the caller.
        call: Sends a REST request.
        device: The device.
        streams_are: Called with the names of its streams, one call at a time.
    """

    def __init__(
        self, live: Live, call: restamp.Call, device: Path, streams_are: Callable[[Collection[str]], Any]
    ) -> None:
        self._live, self._call, self._device = live, call, device
        self._streams_are = streams_are
        # two, so that who closes this need not wait for an answer of the server
        self._looking, self._telling = live.lane(), live.lane()
        # guards the two below
        self._lock = threading.Lock()
        self._is_asked = False
        self._closed = False
        self._end_log: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Look from now on."""
        log_path = Path((self._device.names[0], *_LOG))
        # if it may not be read, the looks every now and then have to do
        options = Options(
            private=True,
            on_error=lambda error: log.debug("live: %s: %s", log_path, error),
            on_subscribed=lambda number: self.look_soon(),  # nobody tells what happened before
        )
        self._end_log = self._live.subscribe(log_path, self._came, options=options, add=True, wait=False).close
        self._again()

    def look_soon(self) -> None:
        """Look as soon as possible."""
        with self._lock:
            if self._is_asked or self._closed:
                return
            self._is_asked = True
        self._looking.put(self._look)

    def close(self) -> None:
        """
        Stop looking. Once this has returned, *streams_are* is not called any more. Calling it twice does nothing.

        Raises:
            TimedOut: A call of *streams_are* is still running.
        """
        with self._lock:
            self._closed = True
        self._looking.close(Deadline(0.0))
        is_over = self._telling.close(Deadline(_PATIENCE))
        self._end_log()
        if not is_over:
            raise TimedOut(
                f"beginning and ending what comes of the streams of {self._device} takes more than {_PATIENCE:g} s"
            )

    def _came(self, path: str, points: Sequence[Datapoint]) -> None:
        if any(self._is_about_us(point.get("d")) for point in points):
            self.look_soon()

    def _is_about_us(self, change: Any) -> bool:
        if not isinstance(change, dict) or change.get("cmd") not in _CHANGES:
            return False
        about = str(change.get("arg"))
        return about == str(self._device) or about.startswith(f"{self._device}/")

    def _again(self) -> None:
        with self._lock:
            if self._closed:
                return
        self._live.later(PERIOD, self._look_and_again)

    def _look_and_again(self) -> None:
        self._again()
        self.look_soon()

    def _look(self) -> None:
        with self._lock:
            self._is_asked = False
            if self._closed:
                return
        try:
            names = [fields["name"] for fields in self._call(rest.list_streams(self._device))]
        except ClosedError:
            return
        except ConnectorDBError as error:
            log.info("live: the streams of %s: %s", self._device, error)
            if gone_reason(error) is None:  # that says nothing about the streams: look again later
                return
            names = []
        self._telling.put(partial(self._streams_are, names))
