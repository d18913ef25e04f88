"""
Looking up a name within a time limit.

The system's own lookup can neither be cancelled nor given a timeout, and takes half a minute or more if no name server answers. So it
runs on a thread that nobody has to wait for. Whoever looks up the same name meanwhile waits for the same thread, so that there
is at most one for each name.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from ..runtime.clock import SYSTEM, Clock, Deadline

#: One address as `socket.getaddrinfo` returns it: family, type, protocol, canonical name, and the argument for `socket.connect`.
Address = tuple[Any, ...]

#: Seconds between two checks whether the answer is still wanted.
_LOOK = 0.25


class _Lookup:
    """One lookup, on its thread."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self.found: list[Address] = []
        self.error: Exception | None = None
        self.done = threading.Event()

    def run(self, key: tuple[int, str, int]) -> None:
        try:
            self.found = _ask(self._host, self._port, 0)
        except Exception as error:  # told to whoever waits
            self.error = error
        finally:
            _under_way.pop(key, None)
            self.done.set()


# with the process's id in the key, as a forked child has none of its parent's threads; without a lock, as each operation is atomic
_under_way: dict[tuple[int, str, int], _Lookup] = {}


def look_up(
    host: str,
    port: int,
    seconds: float,
    stopped: Callable[[], bool] = lambda: False,
    clock: Clock = SYSTEM,
) -> list[Address]:
    """
    Return the addresses of a host, in the order in which to try them.

    Args:
        host: Its name or its address.
        port: The port to connect to.
        seconds: How long to wait at most.
        stopped: Tells whether to give up; asked a few times a second.
        clock: The clocks.

    Raises:
        socket.gaierror: There is no such name, or no name server can be reached.
        TimeoutError: There was no answer in time.
        InterruptedError: *stopped* said to give up.
    """
    try:
        return _ask(host, port, socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        pass  # it is a name, not an address
    lookup = _begin(host, port)
    deadline = Deadline(seconds, clock)
    while not clock.wait(lookup.done, min(_LOOK, deadline.left() or 0.0)):
        if stopped():
            raise InterruptedError(f"looking up {host!r} was given up")
        if deadline.passed():
            raise TimeoutError(f"the name {host!r} was not found within {seconds:.3g} s")
    if lookup.error is not None:
        # a new object for each thread that waits, as the traceback is kept in the object
        raise type(lookup.error)(*lookup.error.args) from lookup.error
    return lookup.found


def _begin(host: str, port: int) -> _Lookup:
    """Return the lookup of this name that is under way, or else begin one."""
    key, mine = (os.getpid(), host, port), _Lookup(host, port)
    try:
        lookup = _under_way.setdefault(key, mine)
        if lookup is mine:
            threading.Thread(target=mine.run, args=(key,), name="connectordb-lookup", daemon=True).start()
    except BaseException:
        if _under_way.get(key) is mine:
            del _under_way[key]  # so that nobody waits for a thread that may never have started
        raise
    return lookup


def _ask(host: str, port: int, flags: int) -> list[Address]:
    return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, flags)
