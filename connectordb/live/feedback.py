"""
Stopping a callback that would feed itself, before it does.

What a device inserts into a downlink comes back to every subscriber of that downlink. So a callback that inserts into its own
downlink would be called again by its own insert, for ever. As it is known here for which subscription a thread runs, such an
insert is refused before it is sent. The callback raises this error like any other: it is told to ``on_error``, and the
subscription goes on. A command that the same device writes from anywhere else, another program or the prompt, goes through.

A plain stream is another matter: a callback that inserts into the stream it watches may well mean to (a countdown, say), and
can stop doing so; nothing is refused there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..exceptions import LocalProtocolError
from ..protocol.paths import Path

_running = threading.local()


class OnBehalfOf:
    """For the length of a block, records that this thread runs a callback of *path*."""

    __slots__ = ("_before", "_path")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before: Path | None = None

    def __enter__(self) -> None:
        self._before = getattr(_running, "path", None)
        _running.path = self._path

    def __exit__(self, *exception: object) -> None:
        _running.path = self._before


def check_insert(path: Path, caller: Callable[[], Path]) -> None:
    """
    Refuse an insert into *path* if this thread runs a callback that would be called again by it.

    To be called before each insert that a user makes; acknowledgements are not inserts of a user.

    Args:
        path: Where the insert would go.
        caller: Returns the device that inserts.

    Raises:
        LocalProtocolError: The callback would feed itself.
    """
    watched: Path | None = getattr(_running, "path", None)
    if watched is None or not watched.downlink or path.stream != watched.stream:
        return
    if path.downlink:
        raise LocalProtocolError(
            f"a callback of {str(watched)!r} inserts into that downlink: it would be called again by its own insert, for "
            f"ever. To acknowledge, return True or datapoints, or insert into {str(path.stream)!r} as its own device"
        )
    if caller() != watched.device:
        raise LocalProtocolError(
            f"a callback of {str(watched)!r} inserts into {str(path)!r} as {str(caller())!r}: what another device inserts "
            f"there lands in the downlink, and would call it again, for ever. Only {str(watched.device)!r} acknowledges"
        )
