"""
A server that lives many short lives, each forked off a process that has everything imported.

Run as a program it is that process; used as a module it is who tells it what to do.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import sys
import time
from pathlib import Path

from .disks import FullDisk, LossyDisk, Space
from .nursery import Nursery, serve


class Lives:
    """
    The lives of a server on *directory*, at *port*.

    Args:
        work: A folder: the database in ``database``, what is on its disk in ``durable``, its space in ``space``, its log in ``log``.
        disk: ``"real"``, ``"lossy"`` or ``"full"``.
    """

    def __init__(self, work: Path, disk: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._nursery = Nursery("tests.support.lives", work, disk, self.port)

    def start(self) -> int:
        """Begin a life; return its process."""
        return self._nursery.start()

    def end(self, pid: int, number: int = signal.SIGKILL, asked: bool = False) -> None:
        """End a life by a signal; a server that had ended by itself before, without having been *asked* to, is an error."""
        status = self._nursery.kill(pid, number)
        expected = {-number, *([0, -signal.SIGTERM] if asked or number == signal.SIGTERM else [])}
        if status not in expected:
            raise AssertionError(f"the server ended by itself, with the status {status}; its log says why")

    def strike(self, pid: int, chance: random.Random) -> None:
        """End a life by ``kill -9``; now and then just after it was asked to end, while it closes its files."""
        asked = chance.random() < 0.15
        if asked:
            os.kill(pid, signal.SIGTERM)
            time.sleep(chance.random() * 0.15)
        self.end(pid, asked=asked)

    def close(self) -> None:
        """End the process."""
        self._nursery.close()


def _main(work: Path, disk: str, port: int) -> None:
    import connectordb.server  # noqa: F401  once for all lives

    serve(lambda _: _live(work, disk, port))


def _live(work: Path, disk: str, port: int) -> int:
    """Be a server until a signal; return the status with which the process is to end."""
    from connectordb.server import Server

    try:
        logging.basicConfig(filename=work / "log", format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
        layer = {"lossy": lambda: LossyDisk(work / "durable"), "full": lambda: FullDisk(Space(work / "space"))}.get(
            disk
        )
        kept = layer() if layer else None
        Server(work / "database", port=port).run()
        del kept
        return 0
    except BaseException:
        logging.exception("a life ended by an error")
        return 1
    finally:
        logging.shutdown()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
