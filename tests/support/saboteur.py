"""A proxy that does one thing to one request, to the byte; otherwise it passes everything on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from connectordb.protocol.features import HEADER

from .fault_proxy import FaultProxy, is_insert, read_message, without

#: Seconds that a server is given to end what it does with a request whose connection was cut; nobody sees it end.
_UNSEEN = 0.05


class Exchange:
    """
    A request that is on its way through the proxy.

    Attributes:
        client: The connection that it came on.
        request: Its bytes.
    """

    def __init__(self, proxy: Saboteur, client: socket.socket, request: bytes) -> None:
        self._proxy = proxy
        self.client = client
        self.request = request
        self._answer: bytes | None = None

    def answer(self) -> bytes:
        """Pass the request on, once, and return the server's answer."""
        if self._answer is None:
            self._answer = self._proxy.ask(self.request)
        return self._answer

    def send(self, number: int) -> socket.socket:
        """Pass on so many bytes of the request; return the connection."""
        upstream = self._proxy.upstream()
        upstream.sendall(self.request[:number])
        return upstream

    def listen(self, upstream: socket.socket) -> bytes:
        """Return the answer that comes on a connection; nothing if there is none."""
        return read_message(upstream)

    def reply(self, data: bytes) -> None:
        """Send bytes to the client, who may have gone."""
        with suppress(OSError):
            self.client.sendall(data)

    def hold(self, what: Callable[[], object]) -> None:
        """Do something later: when what is held is let go."""
        self._proxy.hold(what)

    def then(self, fault: Fault) -> None:
        """Have something happen to the next insert."""
        self._proxy.next(fault)

    def abandon(self, upstream: socket.socket) -> None:
        """Break the connection to the server, which may go on with what it was sent."""
        self._proxy.cut(upstream)

    def hang_up(self) -> None:
        """Close the client's connection, so that it knows at once."""
        with suppress(OSError):
            self.client.shutdown(socket.SHUT_RDWR)


#: What is done to a request; returns whether the connection goes on.
Fault = Callable[[Exchange], bool]


class Saboteur(FaultProxy):
    """
    See the module.

    Attributes:
        met: How many faults have happened.
    """

    def __init__(self, target: str) -> None:
        self.met = 0
        # guarded by the lock of the parent
        self._plan: list[tuple[Callable[[str], bool], int, Fault]] = []
        self._held: list[Callable[[], object]] = []
        self._unseen = False
        super().__init__(target)

    def next(self, fault: Fault, which: Callable[[str], bool] = is_insert, skip: int = 0) -> None:
        """Have *fault* happen to the next request whose first line *which* accepts, after *skip* of them."""
        with self._lock:
            self._plan.append((which, skip, fault))

    def calm(self) -> int:
        """Forget what was to happen; return how much that is."""
        with self._lock:
            number, self._plan = len(self._plan), []
        return number

    def hold(self, what: Callable[[], object]) -> None:
        """Do something later: when `let_arrive` is called."""
        with self._lock:
            self._held.append(what)

    def release(self) -> None:
        """Let everything arrive that is held."""
        with self._lock:
            held, self._held = self._held, []
        for what in held:
            what()

    def let_arrive(self) -> None:
        """Let everything arrive that is held, and wait until nothing is on its way to the server."""
        with self._lock:
            unseen, self._unseen = self._unseen, False
        self.release()
        self.settle()
        if unseen:
            threading.Event().wait(_UNSEEN)

    def cut(self, upstream: socket.socket) -> None:
        """Break a connection to the server, which may go on with what it was sent."""
        upstream.close()
        with self._lock:
            self._unseen = True

    def upstream(self, buffer: int = 0) -> socket.socket:
        """Return a new connection to the server, on which the system keeps about so many bytes that nobody reads, if that is said."""
        upstream = socket.socket()
        try:
            if buffer:
                upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            upstream.settimeout(10)
            upstream.connect(self._target)
        except OSError:
            upstream.close()
            raise
        upstream.settimeout(30)
        return upstream

    def ask(self, request: bytes) -> bytes:
        """Return the server's answer to a request; nothing if there was none."""
        with self.upstream() as upstream:
            upstream.sendall(request)
            answer = read_message(upstream)
        return answer if self.announces else without(HEADER, answer)

    def _pass(self, connection: socket.socket, request: bytes) -> bool:
        line = request.split(b"\r\n", 1)[0].decode()
        exchange = Exchange(self, connection, request)
        if not _is_whole(request):  # who sent it was killed
            self.cut(exchange.send(len(request)))
            return False
        fault = self._fault_for(line)
        if fault is not None:
            self.met += 1
            return fault(exchange)
        return self._undisturbed(exchange)

    def _undisturbed(self, exchange: Exchange) -> bool:
        """Pass a request on to which nothing is to happen."""
        answer = exchange.answer()
        exchange.reply(answer)
        return bool(answer)

    def _fault_for(self, line: str) -> Fault | None:
        with self._lock:
            for at, (which, skip, fault) in enumerate(self._plan):
                if not which(line):
                    continue
                if skip:
                    self._plan[at] = (which, skip - 1, fault)
                    return None
                del self._plan[at]
                return fault
        return None


def any_request(line: str) -> bool:
    """Accept every request."""
    return True


def _is_whole(request: bytes) -> bool:
    head, _, body = request.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return len(body) >= length
