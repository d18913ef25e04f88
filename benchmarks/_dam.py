"""
What stands between a client and a server, and can hold back what websockets are told, so that it comes at once or in a given time.

    python benchmarks/_dam.py URL [--hide-features]

A durable insert takes longer than to be told of it; who wants to see how fast a client takes messages has to collect them first.
Commands are lines on standard input, each answered by a line: ``hold``; ``release SECONDS``, spread over that time, which is
answered as it begins; ``cut``, which ends all websockets and lets others wait; ``waiting``, which is answered when one does;
``mend``, which lets them pass again; ``passed``, which is answered with how many bytes have passed, both ways. What a server announces beyond 0.3 is hidden on demand: a client then
sees an original one.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from _programs import started

_CHUNK = 1 << 18

#: Seconds from one slice to the next of what is released in a given time.
_SLICE = 0.002

#: Seconds until a measurement is given up.
_PATIENCE = 60.0

_FEATURES, _HIDDEN = b"ConnectorDB-Features:", b"X-Nothing-Announced:"


class Dam:
    """Listens, and passes on."""

    def __init__(self, url: str, hide: bool) -> None:
        where = urlsplit(url)
        self._server = (where.hostname or "", where.port or 80)
        self._hide = hide
        # guards what is held, and the websockets that there are
        self._lock = threading.Lock()
        self._held: dict[socket.socket, bytearray] | None = None
        self._websockets: dict[socket.socket, socket.socket] = {}
        self._is_whole, self._somebody_waits = threading.Event(), threading.Event()
        self._is_whole.set()
        self._passed = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections, until the process ends."""
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = client.recv(_CHUNK)
            is_websocket = b"\r\nupgrade: websocket\r\n" in head.lower()
            if is_websocket and not self._is_whole.is_set():
                self._somebody_waits.set()
                self._is_whole.wait(_PATIENCE)
            with socket.create_connection(self._server) as server:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server.sendall(head)
                with self._lock:
                    self._passed += len(head)
                    if is_websocket:
                        self._websockets[client] = server
                threading.Thread(target=self._back, args=(server, client, is_websocket), daemon=True).start()
                while data := client.recv(_CHUNK):
                    with self._lock:
                        self._passed += len(data)
                    server.sendall(data)
                with self._lock:
                    self._websockets.pop(client, None)
                shut(server)

    def _back(self, server: socket.socket, client: socket.socket, is_websocket: bool) -> None:
        is_head = True
        with contextlib.suppress(OSError):
            while data := server.recv(_CHUNK):
                if self._hide and (is_head or not is_websocket):  # of a websocket only the handshake has headers
                    data = data.replace(_FEATURES, _HIDDEN)
                is_head = False
                with self._lock:
                    self._passed += len(data)
                    held = self._held is not None and is_websocket
                    if held:
                        assert self._held is not None
                        self._held.setdefault(client, bytearray()).extend(data)
                if not held:
                    client.sendall(data)
        shut(client)

    # --- commands -----------------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Keep what comes for websockets from now on."""
        with self._lock:
            self._held = {}

    def release(self, seconds: float) -> None:
        """Send what was kept, spread over so many seconds, then what came meanwhile, and let pass what comes."""
        while kept := self._taken():
            for client, data in kept.items():
                with contextlib.suppress(OSError):  # who has what he wanted may have gone
                    slowly(client, data, seconds)
            seconds = 0.0

    def _taken(self) -> dict[socket.socket, bytearray]:
        """Return what is kept; if that is nothing, keep nothing any more."""
        with self._lock:
            kept, self._held = self._held, {} if self._held else None
        return kept or {}

    def cut(self) -> None:
        """End all websockets."""
        self._somebody_waits.clear()
        self._is_whole.clear()
        with self._lock:
            for client, server in self._websockets.items():
                shut(client)
                shut(server)

    def waiting(self) -> None:
        """Return when a client waits for a websocket."""
        if not self._somebody_waits.wait(_PATIENCE):
            raise TimeoutError("no client has come back")

    def mend(self) -> None:
        """Let websockets pass again."""
        self._is_whole.set()

    def obey(self, line: str) -> None:
        """Do what a line says, and answer it."""
        command, *arguments = line.split()
        if command == "passed":
            print(self._passed, flush=True)
        elif command == "release":
            print("ok", flush=True)
            self.release(float(arguments[0]))
        else:
            {"hold": self.hold, "cut": self.cut, "waiting": self.waiting, "mend": self.mend}[command]()
            print("ok", flush=True)


def slowly(client: socket.socket, data: bytearray, seconds: float) -> None:
    """Send data, spread over so many seconds."""
    slices = max(1, round(seconds / _SLICE))
    size = -(-len(data) // slices)
    due = time.perf_counter()
    for at in range(0, len(data), size):
        client.sendall(data[at : at + size])
        due += _SLICE
        if slices > 1:
            time.sleep(max(0.0, due - time.perf_counter()))


def shut(end: socket.socket) -> None:
    """End a connection, so that who reads from it notices."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


class Control:
    """
    A dam in a process of its own.

    Attributes:
        url: Where clients are to connect.
    """

    def __init__(self, url: str, *flags: str) -> None:
        self._program = started(sys.executable, str(Path(__file__)), url, *flags, stdin=True)

    def __enter__(self) -> Control:
        self._running = self._program.__enter__()
        self.url = self._running.url
        return self

    def __exit__(self, *exception: object) -> None:
        self._program.__exit__(None, None, None)

    def order(self, command: str) -> None:
        """Give a command, and wait until it is obeyed; of ``release``, until it is begun."""
        answer = self._running.ask(command)
        if answer != "ok":
            raise RuntimeError(f"the dam answered {command!r} with {answer!r}")

    def passed(self) -> int:
        """Return how many bytes have passed so far."""
        return int(self._running.ask("passed"))


def main() -> None:
    """Run until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--hide-features", action="store_true")
    arguments = parser.parse_args()
    dam = Dam(arguments.url, arguments.hide_features)
    threading.Thread(target=dam.serve, daemon=True).start()
    print(f"listening at {dam.url}", flush=True)
    for line in sys.stdin:
        dam.obey(line)


if __name__ == "__main__":
    main()
