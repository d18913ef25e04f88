"""
A server that answers every request with one datapoint, at once: as little as can stand between a client and its answer.

    python benchmarks/_answerer.py

One thread for all connections, as it has hardly anything to do.
"""

from __future__ import annotations

import selectors
import socket

_BODY = b'[{"t":1700000000.5,"d":21.5}]'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)


def main() -> None:
    """Run until the process is ended."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(f"listening at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        pending: dict[socket.socket, bytes] = {}
        while True:
            for key, _ in selector.select():
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                if connection is listener:
                    accepted, _ = listener.accept()
                    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(accepted, selectors.EVENT_READ)
                    continue
                try:
                    data = connection.recv(65536)
                except ConnectionError:
                    data = b""
                if not data:
                    selector.unregister(connection)
                    pending.pop(connection, None)
                    connection.close()
                    continue
                whole, _, rest = (pending.get(connection, b"") + data).rpartition(b"\r\n\r\n")
                pending[connection] = rest
                if whole:
                    connection.sendall(_ANSWER)


if __name__ == "__main__":
    main()
