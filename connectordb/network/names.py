"""
Looking up a name for no longer than there is time.

The system's own lookup can neither be ended nor given a time, and takes half a minute and more where no name server answers. So it
runs on a thread that nobody has to wait for; whoever looks up the same name meanwhile waits for the same thread, so that there
is one of them a name at the most.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from ..runtime.clock import SYSTEM, Clock, Deadline

#: What `socket.getaddrinfo` tells of one address: family, type, protocol, canonical name, and what `socket.connect` takes.
Address = tuple[Any, ...]

#: Seconds between two looks at whether the answer is still wanted.
_LOOK = 0.25


class _Lookup:
    """One lookup that is under way."""

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


# by process: a child has none of its parent's threads. No lock: what is done to it is done in one step
_under_way: dict[tuple[int, str, int], _Lookup] = {}


def look_up(
    host: str,
    port: int,
    seconds: float,
    stopped: Callable[[], bool] = lambda: False,
    clock: Clock = SYSTEM,
) -> list[Address]:
    """
    Return the addresses of a host, the one to try first in front.

    Args:
        host: Its name or its address.
        port: Where to connect to there.
        seconds: How long to wait at the most.
        stopped: Tells whether to give up; asked a few times a second.
        clock: The clocks.

    Raises:
        socket.gaierror: The name is none, or nobody who could tell is there.
        TimeoutError: No answer in time.
        InterruptedError: It was to give up.
    """
    try:
        return _ask(host, port, socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        pass  # a name then
    lookup = _begin(host, port)
    deadline = Deadline(seconds, clock)
    while not clock.wait(lookup.done, min(_LOOK, deadline.left() or 0.0)):
        if stopped():
            raise InterruptedError(f"looking up {host!r} was given up")
        if deadline.passed():
            raise TimeoutError(f"the name {host!r} was not found within {seconds:.3g} s")
    if lookup.error is not None:
        # another object for everybody who waits: a traceback belongs to one of them
        raise type(lookup.error)(*lookup.error.args) from lookup.error
    return lookup.found


def _begin(host: str, port: int) -> _Lookup:
    """Return the lookup of this name that is under way, or begin one."""
    key, mine = (os.getpid(), host, port), _Lookup(host, port)
    try:
        lookup = _under_way.setdefault(key, mine)
        if lookup is mine:
            threading.Thread(target=mine.run, args=(key,), name="connectordb-lookup", daemon=True).start()
    except BaseException:
        if _under_way.get(key) is mine:
            del _under_way[key]  # nobody else is to wait for what may never have begun
        raise
    return lookup


def _ask(host: str, port: int, flags: int) -> list[Address]:
    return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, flags)
