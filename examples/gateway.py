"""
A gateway for sensors that speak no HTTP: lines ``STREAM VALUE`` on a TCP port, taken by several processes.

The parent logs in, and forks. Its children share the port and the login; each makes connections of its own to the server, and
the parent's stay the parent's. Servers that fork before they serve, such as gunicorn with ``--preload``, are used the same way. Server and
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
    """Answer each line with ``ok``, or with what is wrong, as long as there is a parent."""
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
    parser.add_argument("--port", type=int, default=0, help="where to listen; without it somewhere that is free")
    parser.add_argument("--processes", type=int, default=2, help="how many (%(default)s)")
    arguments = parser.parse_args()
    with ConnectorDB() as cdb, socket.create_server(("127.0.0.1", arguments.port)) as listener:
        children = [child(listener, cdb) for _ in range(arguments.processes)]
        print(f"{cdb.path} listens on port {listener.getsockname()[1]}", flush=True)
        cdb.run()
        for process in children:
            os.kill(process, signal.SIGTERM)
            os.waitpid(process, 0)


def child(listener: socket.socket, cdb: ConnectorDB) -> int:
    """Make a process that serves until SIGTERM, and return its number."""
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
