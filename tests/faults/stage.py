"""Where it all happens: a server, a proxy before it, and a place from which Loggers' processes come."""

from __future__ import annotations

import itertools
import os
import socket
import uuid
from collections.abc import Callable
from pathlib import Path

from connectordb import ConnectorDB, Stream
from connectordb.protocol.features import HEADER

from ..support.fault_servers import Target
from ..support.nursery import Nursery
from ..support.saboteur import Saboteur
from .channel import PATIENCE, Channel
from .process import Process


class Stage:
    """
    See the module.

    Args:
        work: A folder.
        target: The server.
        without: The variant of `broken` that Loggers are, if any.

    Attributes:
        announces: Whether the server can do anything beyond 0.3.
    """

    def __init__(self, work: Path, target: Target, without: str = "") -> None:
        self.work = work
        self.target = target
        self.without = without
        self._numbers = itertools.count(1)
        with target.login() as admin:
            user = admin(f"f{uuid.uuid4().hex[:10]}")
            user.create(f"{user.name}@example.org", "secret", devices={"logger": {}})
            self._device = f"{user.name}/logger"
            self.apikey = str(admin(self._device).apikey)
        self.owner = ConnectorDB(self.apikey, url=target.url)
        self.announces = HEADER in self.owner.request("GET", "meta/version").headers
        self.proxy = Saboteur(target.url)
        # the address of such a socket must be short
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"\0connectordb-faults-{os.getpid()}-{uuid.uuid4().hex[:8]}")
        self._listener.listen()
        self._listener.settimeout(PATIENCE)
        self._nursery = Nursery("tests.faults.life", work / "lives.log", self._address)

    @property
    def _address(self) -> str:
        name: bytes = self._listener.getsockname()
        return name[1:].decode()

    def next_number(self) -> int:
        """Return a number that no Logger has had."""
        return next(self._numbers)

    def stream(self, name: str) -> Stream:
        """Return a stream, past the proxy."""
        found: Stream = self.owner(f"{self._device}/{name}")
        return found

    def process(self, on_points: Callable[[str, int, int, int], None], on_wait: Callable[[float], None]) -> Process:
        """Return a new process, in which no Logger is opened yet; arguments as of `Process`."""
        pid = self._nursery.start()
        connection, _ = self._listener.accept()
        return Process(self._nursery, pid, Channel(connection), on_points, on_wait)

    def let_time_pass(self) -> None:
        """Let everything happen that happens while a Logger waits for what may be on its way."""
        self.proxy.let_arrive()

    def recover(self) -> None:
        """Have a server again that answers."""
        self.target.thaw()
        self.target.back()

    def calm(self) -> None:
        """Let nothing go wrong any more, and let everything arrive."""
        self.proxy.calm()
        self.recover()
        self.proxy.let_arrive()

    def close(self) -> None:
        """End it all, except for the server."""
        self._nursery.close()
        self._listener.close()
        self.owner.close()
        self.proxy.close()
