"""The newest points of each stream of a device, held up to date here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from ...exceptions import ClosedError
from ...protocol.paths import Path
from ..closing import Closing, by_its_process
from ..dispatch import Lane
from .listeners import Listener
from .mirror import Mirror

log = logging.getLogger(__name__)

#: Called with a stream's name, the value before, ``None`` where there was none, and the value now.
OnDeviceChange = Callable[[str, Any, Any], Any]


class DeviceMirror(Mapping[str, Mirror], Closing):
    """
    The mirrors of a device's streams, by name; made by `connectordb.Device.live`.

    Streams that the device gets later appear, and those that it loses go; what is held of them stays with whoever has the mirror.
    Nothing that is read of it asks the server.

    Attributes:
        path: The device's path.
    """

    def __init__(
        self, path: Path, *, lane: Callable[[], Lane], begin: Callable[[str, Callable[[Mirror], None]], Mirror]
    ) -> None:
        self.path = str(path)
        self._lane = lane
        self._begin = begin
        #: Ends the looking for streams; set by who does it.
        self.end_watch: Callable[[], None] = lambda: None
        # one thread adds and removes streams at a time; taken before the one below
        self._arranging = threading.Lock()
        # guards everything below; the dict of mirrors is never changed, but replaced
        self._lock = threading.Lock()
        self._mirrors: dict[str, Mirror] = {}
        self._callbacks: dict[Listener, tuple[OnDeviceChange, Lane]] = {}
        self._closed = False

    # --- as a mapping -------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Mirror:
        """Return the mirror of a stream; raise `KeyError` if there is no such stream now."""
        return self._mirrors[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the streams that there are now."""
        return iter(self._mirrors)

    def __len__(self) -> int:
        """Return how many streams there are now."""
        return len(self._mirrors)

    def __bool__(self) -> bool:
        """Be true, also without streams."""
        return True

    # --- how sure it is -----------------------------------------------------------------------------------------------

    @property
    def is_stale(self) -> bool:
        """Whether any of the streams may hold something newer."""
        return self._closed or any(mirror.is_stale for mirror in self._mirrors.values())

    @property
    def stale_since(self) -> float | None:
        """When the first of them began to be so, in seconds since 1970; ``None`` if none is."""
        times = (mirror.stale_since for mirror in self._mirrors.values())
        return min((time for time in times if time is not None), default=None)

    # --- changes ------------------------------------------------------------------------------------------------------

    def on_change(self, callback: OnDeviceChange) -> Listener:
        """
        Have *callback* called when a stream gets another value than before; of streams that appear later, too.

        Args:
            callback: Called as ``callback(name, old, new)``; otherwise as in `Mirror.on_change`. Of all streams one call at a time.

        Returns:
            What ends it, with ``close()``; there may be any number.

        Raises:
            ClosedError: The mirror was closed.
        """
        lane = self._lane()
        listener = Listener(lane, self._forget)
        with self._arranging:
            self._check_open()
            with self._lock:
                self._callbacks[listener] = (callback, lane)
            for name, mirror in self._mirrors.items():
                mirror.tell(partial(callback, name), lane, listener)
        return listener

    def _forget(self, listener: Listener) -> None:
        with self._lock:
            self._callbacks.pop(listener, None)
            mirrors = list(self._mirrors.values())
        for mirror in mirrors:
            mirror.forget(listener)

    # --- the end ------------------------------------------------------------------------------------------------------

    @by_its_process
    def close(self) -> None:
        """
        Listen no more, and tell nobody any more, once this has returned; calling it twice does nothing.

        Raises:
            TimedOut: A function of `on_change` still runs; it is not called again.
        """
        with ExitStack() as ending:  # each of them, also if another one does not end
            ending.callback(self._close_all)
            ending.callback(self.end_watch)  # first

    def _close_all(self) -> None:
        with self._arranging:
            self._closed = True
        with ExitStack() as ending, self._lock:
            for each in (*self._callbacks, *self._mirrors.values()):
                ending.callback(each.close)

    def __repr__(self) -> str:
        """Return the path, and the streams."""
        return (
            f"<Mirror of {self.path!r}: {', '.join(self._mirrors) or 'no streams'}{', stale' if self.is_stale else ''}>"
        )

    # --- for what looks which streams there are -----------------------------------------------------------------------

    def streams_are(self, names: Collection[str]) -> list[Mirror]:
        """Take note of the streams that there are; return the mirrors of those that are new."""
        with self._arranging:
            if self._closed:
                return []
            before = self._mirrors
            new = {name: self._begin(name, partial(self._join, name)) for name in names if name not in before}
            gone = [mirror for name, mirror in before.items() if name not in names]
            with self._lock:
                self._mirrors = {name: before.get(name) or new[name] for name in sorted(names)}
        for mirror in gone:
            log.info("live: %s is gone", mirror.path)
            mirror.close()
        return list(new.values())

    def _join(self, name: str, mirror: Mirror) -> None:
        """Have everybody told of a stream that appears, before anything comes of it."""
        with self._lock:
            callbacks = list(self._callbacks.items())
        for listener, (callback, lane) in callbacks:
            mirror.tell(partial(callback, name), lane, listener)

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"the mirror of {self.path!r} was closed")
