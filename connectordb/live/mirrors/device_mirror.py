"""The newest points of each stream of a device, kept up to date here."""

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

#: Called with a stream's name, the value before, ``None`` if there was none, and the value now.
OnDeviceChange = Callable[[str, Any, Any], Any]


class DeviceMirror(Mapping[str, Mirror], Closing):
    """
    The mirrors of a device's streams, by name; made by `connectordb.Device.live`.

    Streams that the device gets later appear, and those that it loses disappear; whoever has the mirror of such a stream can still
    read it. Reading never asks the server.

    Attributes:
        path: The device's path.
    """

    def __init__(
        self, path: Path, *, lane: Callable[[], Lane], begin: Callable[[str, Callable[[Mirror], None]], Mirror]
    ) -> None:
        self.path = str(path)
        self._lane = lane
        self._begin = begin
        #: Ends the looking for streams; set by `mirror_device`.
        self.end_watch: Callable[[], None] = lambda: None
        # lets one thread at a time add and remove streams; always taken before the lock below
        self._arranging = threading.Lock()
        # guards everything below; the dict of mirrors is never changed, only replaced
        self._lock = threading.Lock()
        self._mirrors: dict[str, Mirror] = {}
        self._callbacks: dict[Listener, tuple[OnDeviceChange, Lane]] = {}
        self._closed = False

    # --- as a mapping -------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Mirror:
        """Return the mirror of a stream; raise `KeyError` if there is no such stream now."""
        return self._mirrors[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the present streams."""
        return iter(self._mirrors)

    def __len__(self) -> int:
        """Return how many streams there are now."""
        return len(self._mirrors)

    def __bool__(self) -> bool:
        """Be true, even without streams."""
        return True

    # --- how sure it is -----------------------------------------------------------------------------------------------

    @property
    def is_stale(self) -> bool:
        """Whether the mirror of any stream is stale."""
        return self._closed or any(mirror.is_stale for mirror in self._mirrors.values())

    @property
    def stale_since(self) -> float | None:
        """Since when the first of them has been stale, in seconds since 1970; ``None`` if none is."""
        times = (mirror.stale_since for mirror in self._mirrors.values())
        return min((time for time in times if time is not None), default=None)

    # --- changes ------------------------------------------------------------------------------------------------------

    def on_change(self, callback: OnDeviceChange) -> Listener:
        """
        Call *callback* whenever the value of a stream changes; also of streams that appear later.

        Args:
            callback: Called as ``callback(name, old, new)``, for all streams one call at a time; otherwise as in `Mirror.on_change`.

        Returns:
            A listener, whose ``close()`` ends this. There may be any number of them.

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
        Stop listening. Once this has returned, no function of `on_change` is running. Calling it twice does nothing.

        Raises:
            TimedOut: A function of `on_change` is still running; it will not be called again.
        """
        with ExitStack() as ending:  # all are closed, even if one raises because it does not end
            ending.callback(self._close_all)
            ending.callback(self.end_watch)  # the stack calls what was added last first

    def _close_all(self) -> None:
        with self._arranging:
            self._closed = True
        with ExitStack() as ending, self._lock:
            for each in (*self._callbacks, *self._mirrors.values()):
                ending.callback(each.close)

    def __repr__(self) -> str:
        """Say the path and the streams."""
        return (
            f"<Mirror of {self.path!r}: {', '.join(self._mirrors) or 'no streams'}{', stale' if self.is_stale else ''}>"
        )

    # --- for what looks which streams there are -----------------------------------------------------------------------

    def streams_are(self, names: Collection[str]) -> list[Mirror]:
        """Make mirrors for new streams, and close those of streams that are gone; return the new mirrors."""
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
        """Make all functions of `on_change` hear of a new stream, before its first point comes."""
        with self._lock:
            callbacks = list(self._callbacks.items())
        for listener, (callback, lane) in callbacks:
            mirror.tell(partial(callback, name), lane, listener)

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"the mirror of {self.path!r} was closed")
