"""
A TCP proxy between a client and a real server, which does to inserts what networks and servers do to them.

It reads each HTTP request whole, and passes it on unless the script says otherwise. The script is a list of faults for the
inserts to come, one each; when it is used up everything passes.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from urllib.parse import urlsplit

from connectordb.protocol.features import HEADER


class Fault(Enum):
    """What happens to an insert."""

    NONE = auto()
    LOST = auto()  #         the request never arrives, the connection breaks
    CUT_MID_REQUEST = auto()  # half of it arrives
    NO_ANSWER = auto()  #    it is stored, and the connection breaks before the answer
    HALF_ANSWER = auto()  #  it is stored, and the connection breaks in the middle of the answer
    LATE = auto()  #         the connection breaks; the request arrives when `FaultProxy.deliver` says so
    ERROR = auto()  #        it is stored, and answered with a 500
    LIMIT = auto()  #        it is stored, and answered with the 403 of a message that was too large
    HTML = auto()  #         a captive portal says 200
    EMPTY = auto()  #        it is stored, and answered with 200 and nothing


_ANSWERS = {
    Fault.ERROR: (500, b'{"code":500,"msg":"something broke","ref":"1"}'),
    Fault.LIMIT: (403, b'{"code":403,"msg":"nats: maximum payload exceeded","ref":"2"}'),
    Fault.HTML: (200, b"<html>Welcome to our hotel</html>"),
    Fault.EMPTY: (200, b""),
}


class FaultProxy:
    """See the module; `url` is where it listens."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "localhost", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        # guards the lists below
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._passing = 0
        self._script: list[Fault] = []
        self._late: list[bytes] = []
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        #: Called with each request's first line before it is passed on.
        self.on_request: Callable[[str], None] | None = None
        #: Whether clients learn what the server can do beyond 0.3; otherwise it is an original one to them.
        self.announces = True
        #: The answer to everything, in the server's place: that of a portal, or of a proxy whose server is away.
        self.instead = b""
        self.down = False
        self._accepting = threading.Thread(target=self._accept, name="fault-proxy", daemon=True)
        self._accepting.start()

    def script(self, *faults: Fault) -> None:
        """Let these happen to the next inserts, one each."""
        with self._lock:
            self._script = list(faults)

    def inserts(self) -> int:
        """Return how many inserts came by."""
        with self._lock:
            return sum(is_insert(line) for line in self.requests)

    def deliver(self) -> list[int]:
        """Let the requests that are late arrive now; return the status that each would have been answered with."""
        with self._lock:
            late, self._late = self._late, []
        return [int(self._forward(request).split(b" ", 2)[1]) for request in late]

    def settle(self) -> None:
        """Wait until no request is being passed on."""
        with self._idle:
            self._idle.wait_for(lambda: self._passing == 0, 30)

    def close(self) -> None:
        """End all connections and threads."""
        self.down = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._accepting.join(10)
        self._listener.close()
        with self._lock:
            sockets, threads = list(self._sockets), list(self._threads)
        for connection in sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self.down:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), name="fault-proxy-c", daemon=True)
            with self._lock:
                self._sockets.add(connection)
            thread.start()
            with self._lock:
                self._threads = [other for other in self._threads if other.is_alive()] + [thread]

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(30)
            with suppress(OSError):
                while (request := read_message(connection)) and self._count(connection, request):
                    pass
        finally:
            with self._lock:
                self._sockets.discard(connection)
            connection.close()

    def _count(self, connection: socket.socket, request: bytes) -> bool:
        with self._lock:
            self._passing += 1
        try:
            return self._pass(connection, request)
        finally:
            with self._idle:
                self._passing -= 1
                self._idle.notify_all()

    def _pass(self, connection: socket.socket, request: bytes) -> bool:
        line = request.split(b"\r\n", 1)[0].decode()
        with self._lock:
            self.requests.append(line)
            fault = self._script.pop(0) if self._script and is_insert(line) else Fault.NONE
            if is_insert(line):
                self.bodies.append(request.split(b"\r\n\r\n", 1)[1])
            if fault is Fault.LATE:
                self._late.append(request)
        if self.on_request is not None:
            self.on_request(line)
        if self.instead:
            connection.sendall(self.instead)
            return True
        if fault in (Fault.LOST, Fault.LATE):
            return False
        if fault is Fault.CUT_MID_REQUEST:
            self._forward(request[: len(request) - len(request.split(b"\r\n\r\n", 1)[1]) // 2 - 1], answer=False)
            return False
        answer = b"" if fault is Fault.HTML else self._forward(request)
        if fault is Fault.NO_ANSWER:
            return False
        if fault is Fault.HALF_ANSWER:
            connection.sendall(answer[: len(answer) // 2])
            return False
        if fault in _ANSWERS:
            status, body = _ANSWERS[fault]
            answer = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
        connection.sendall(answer)
        return True

    def _forward(self, request: bytes, answer: bool = True) -> bytes:
        with socket.create_connection(self._target, 10) as upstream:
            upstream.settimeout(30)
            upstream.sendall(request)
            message = read_message(upstream) if answer else b""
        return message if self.announces else without(HEADER, message)


def is_insert(line: str) -> bool:
    """Tell whether a request with that first line inserts points."""
    method, target, _ = line.split(" ", 2)
    return method in ("POST", "PUT") and target.partition("?")[0].endswith("/data")


def read_message(connection: socket.socket) -> bytes:
    """Return one HTTP message, or nothing at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, _ = data.partition(b"\r\n\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in _header_lines(head)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while not data.endswith(b"0\r\n\r\n"):
            more = connection.recv(65536)
            if not more:
                break
            data += more
        return data
    wanted = len(head) + 4 + int(headers.get("content-length", "0"))
    while len(data) < wanted:
        more = connection.recv(65536)
        if not more:
            break
        data += more
    return data


def without(name: str, message: bytes) -> bytes:
    head, end, body = message.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(name.lower().encode() + b":")]
    return b"\r\n".join(lines) + end + body


def _header_lines(head: bytes) -> Iterator[tuple[str, str, str]]:
    return (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])


@contextmanager
def fault_proxy(target: str) -> Iterator[FaultProxy]:
    """Run a proxy in front of *target*, a URL, for the length of a block."""
    proxy = FaultProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
