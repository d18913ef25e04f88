"""
A gateway for sensors that do not speak HTTP: several processes accept lines ``STREAM VALUE`` on a TCP port.

The parent logs in, and forks. Its children share the port and the login; each makes its own connections to the server and leaves
the parent's alone. Servers that fork before they serve, such as gunicorn with ``--preload``, work the same way. The server and the
key come from the environment, or from ``connectordb login``::

    CONNECTORDB_URL=http://localhost:3124 CONNECTORDB_APIKEY=... python gateway.py --port 4000
    echo temperature 21.5 | nc localhost 4000
"""

from __future__ import annotations

import argparse
import os
import signal
import socket

from connectordb import ConnectorDB, ConnectorDBError


def serve(listener: socket.socket, cdb: ConnectorDB, parent: int) -> None:
    """Answer each line with ``ok`` or an error message, for as long as the parent lives."""
    listener.settimeout(1.0)
    while os.getppid() == parent:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection, connection.makefile(encoding="utf-8") as lines:
            for line in lines:
                name, _, value = line.strip().partition(" ")
                try:
                    cdb[name].insert(float(value))
                    answer = "ok"
                except (ConnectorDBError, ValueError) as error:
                    answer = str(error)
                connection.sendall(f"{os.getpid()} {answer}\n".encode())


def main() -> None:
    """Log in, fork, and wait for SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="where to listen (default: any free port)")
    parser.add_argument("--processes", type=int, default=2, help="how many processes serve (%(default)s)")
    arguments = parser.parse_args()
    with ConnectorDB() as cdb, socket.create_server(("127.0.0.1", arguments.port)) as listener:
        children = [child(listener, cdb) for _ in range(arguments.processes)]
        print(f"{cdb.path} listens on port {listener.getsockname()[1]}", flush=True)
        cdb.run()
        for process in children:
            os.kill(process, signal.SIGTERM)
            os.waitpid(process, 0)


def child(listener: socket.socket, cdb: ConnectorDB) -> int:
    """Start a process that serves until SIGTERM, and return its id."""
    parent, process = os.getpid(), os.fork()
    if process == 0:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to handle
        try:
            serve(listener, cdb, parent)
        finally:
            os._exit(0)
    return process


if __name__ == "__main__":
    main()
