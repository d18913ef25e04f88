"""The proxy before the server: REST as `Saboteur` has it, and websockets through a `Tunnel` each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..support.saboteur import Exchange, Saboteur
from ..support.tunnel import Tunnel

#: Bytes that the system keeps of what a server says and nobody reads: few, so that a client that does not read is seen soon.
_BUFFER = 16 * 1024


class LiveProxy(Saboteur):
    """
    See the module.

    Attributes:
        is_away: Whether there is nobody: connections are closed as soon as something comes on them.
    """

    def __init__(self, target: str) -> None:
        self.is_away = False
        self._opened = threading.Condition()
        # guarded by it
        self._tunnels: list[Tunnel] = []
        self._number = 0
        self._prepare: list[Callable[[Tunnel], None]] = []
        super().__init__(target)

    def tunnel(self, within: float = 10.0) -> Tunnel:
        """Return the websocket that is open, when there is one."""
        return self.tunnel_after(-1, within)

    @property
    def opened(self) -> int:
        """How many websockets there have been."""
        with self._opened:
            return self._number

    def tunnel_after(self, number: int, within: float = 10.0) -> Tunnel:
        """Return a websocket that is open, and not one of the first *number*; wait until there is one."""
        deadline = time.monotonic() + within
        with self._opened:
            while True:
                alive = [tunnel for tunnel in self._tunnels if not tunnel.ended.is_set()]
                if alive and self._number > number:
                    return alive[-1]
                if not self._opened.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() > deadline:
                    raise AssertionError(f"within {within:g} s no websocket was made (there were {self._number})")

    def prepare(self, *what: Callable[[Tunnel], None]) -> None:
        """Have something done with the next websockets, one each, before the first byte."""
        with self._opened:
            self._prepare += what

    def cut_all(self) -> None:
        """Break all websockets."""
        with self._opened:
            tunnels = list(self._tunnels)
        for tunnel in tunnels:
            tunnel.cut()

    def calm(self) -> int:
        """Forget what was to happen; return how much that is."""
        self.is_away = False
        with self._opened:
            number = len(self._prepare)
            self._prepare.clear()
            tunnels = list(self._tunnels)
        for tunnel in tunnels:
            tunnel.calm()
        return number + super().calm()

    def close(self) -> None:
        """End all connections and threads."""
        self.cut_all()
        super().close()

    def _undisturbed(self, exchange: Exchange) -> bool:
        if self.is_away:
            return False
        if not is_websocket(exchange.request.split(b"\r\n", 1)[0].decode()):
            return super()._undisturbed(exchange)
        tunnel = Tunnel(exchange.client, self.upstream(_BUFFER), self.announces, self._is_open)
        with self._opened:
            self._tunnels = [other for other in self._tunnels if not other.ended.is_set()] + [tunnel]
            prepare = self._prepare.pop(0) if self._prepare else None
        if prepare is not None:
            prepare(tunnel)
        tunnel.run(exchange.request)
        return False

    def _is_open(self) -> None:
        with self._opened:
            self._number += 1
            self._opened.notify_all()


def is_websocket(line: str) -> bool:
    """Tell whether a request with that first line asks for a websocket."""
    return line.split(" ", 2)[1].partition("?")[0].endswith("/websocket")
