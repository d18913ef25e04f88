"""Names of hosts that lead where a fault has them lead; all others are the system's business."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from enum import Enum
from typing import Any
from unittest import mock

#: What the names of the gates end with.
DOMAIN = ".gate.test"

#: Seconds after which nobody waits any more for a name server that is silent.
_FORGOTTEN = 30.0


class Where(Enum):
    """Where a name leads, or why it does not."""

    GATE = "127.0.0.1"
    #: Nobody listens there.
    NOBODY = "127.0.0.2"
    #: Nothing comes back from there.
    DARK = "127.0.0.3"
    #: There is no such name.
    UNKNOWN = ""
    #: The name server says nothing.
    SILENCE = "?"


class Name:
    """
    One name, which leads to its gate unless it is told otherwise.

    Attributes:
        asked: How often somebody wanted to know where it leads.
        released: Ends the silence of name servers.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # guarded by it
        self._astray: list[Where] = []
        self._always = Where.GATE
        self.asked = 0
        self.released = threading.Event()

    def lead(self, where: Where, once: bool) -> None:
        """Lead there, the next time or each time."""
        with self._lock:
            self._astray, self._always = ([where], Where.GATE) if once else ([], where)
            self.asked = 0
            self.released = threading.Event()

    def calm(self) -> None:
        """Lead to the gate."""
        with self._lock:
            self._astray, self._always = [], Where.GATE
        self.released.set()

    def resolve(self) -> str:
        """
        Return an address.

        Raises:
            socket.gaierror: There is none.
        """
        with self._lock:
            self.asked += 1
            where = self._astray.pop(0) if self._astray else self._always
            released = self.released
        if where is Where.SILENCE:
            released.wait(_FORGOTTEN)
            where = Where.GATE  # the answer, late
        if where is Where.UNKNOWN:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return where.value


_NAMES: dict[str, Name] = {}

_system: Callable[..., Any] = socket.getaddrinfo


def register(host: str) -> Name:
    """Return the name *host*, which is ours from now on."""
    return _NAMES.setdefault(host, Name())


def ours() -> mock._patch[Any]:
    """Return the patch with which our names are asked here, and those of others where they always are."""
    return mock.patch.object(socket, "getaddrinfo", _getaddrinfo)


def _getaddrinfo(
    host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[tuple[Any, ...]]:
    text = host.decode() if isinstance(host, bytes) else host
    name = _NAMES.get(text) if isinstance(text, str) else None
    if name is not None:
        if flags & socket.AI_NUMERICHOST:  # asks nobody: is it an address?
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        host = name.resolve()
    found: list[tuple[Any, ...]] = _system(host, port, family, type, proto, flags)
    return found
