"""
A server that takes inserts and forgets them: as little as can stand between a client and ``ok``.

    python benchmarks/_sink.py [--think 0.02] [--original]

It knows one device and one stream without points. ``--think`` is how long it takes over an insert, in seconds; with
``--original`` it announces nothing that goes beyond 0.3.
"""

from __future__ import annotations

import argparse
import socket
import threading
import time

_FEATURES = "ConnectorDB-Features: durable, idempotency=604800\r\n"


def answer(line: str) -> bytes:
    """Return what is answered to a request that is no insert."""
    if "?q=this" in line:
        return b"bench/device"
    if "q=length" in line:
        return b"0"
    return b"[]" if "/data" in line else b'{"name":"s","schema":"{\\"type\\":\\"number\\"}"}'


def serve(connection: socket.socket, think: float, headers: str) -> None:
    """Answer the requests of one connection."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pending = b""
    room = bytearray(1 << 18)
    with connection:
        while True:
            while b"\r\n\r\n" not in pending:
                more = connection.recv(65536)
                if not more:
                    return
                pending += more
            head, _, pending = pending.partition(b"\r\n\r\n")
            line, *fields = head.decode("latin-1").split("\r\n")
            length = next((int(f.split(":")[1]) for f in fields if f.lower().startswith("content-length:")), 0)
            left = length - len(pending)
            pending = pending[length:]
            while left > 0:
                left -= connection.recv_into(room, min(left, len(room)))
            body = b"ok"
            if not line.startswith("POST"):
                body = answer(line)
            elif think:
                time.sleep(think)
            connection.sendall(f"HTTP/1.1 200 OK\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def main() -> None:
    """Run until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--think", type=float, default=0.0)
    parser.add_argument("--original", action="store_true")
    options = parser.parse_args()
    headers = "" if options.original else _FEATURES
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, options.think, headers), daemon=True).start()


if __name__ == "__main__":
    main()
