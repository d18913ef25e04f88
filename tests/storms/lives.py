"""
A server that lives many short lives: a process that has everything imported and, told so, forks a server off.

Run as a program it reads commands, a line each: ``start`` answers ``born PID``, ``wait PID`` answers ``ended PID STATUS``. Used as
a module it is who sends them.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from ..support.command_line import TOP, environment
from ..support.disks import FullDisk, LossyDisk, Space


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
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.storms.lives", str(work), disk, str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=TOP,
            env=environment(PYTHONWARNINGS="default"),
        )
        self._said()

    def _said(self) -> list[str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("the process that forks servers off has ended; its errors are above")
        return line.split()

    def _tell(self, *words: object) -> list[str]:
        assert self._process.stdin is not None
        print(*words, file=self._process.stdin, flush=True)
        return self._said()

    def start(self) -> int:
        """Begin a life; return its process."""
        return int(self._tell("start")[1])

    def end(self, pid: int, number: int = signal.SIGKILL, asked: bool = False) -> None:
        """End a life by a signal; a server that had ended by itself before, without having been *asked* to, is an error."""
        os.kill(pid, number)
        status = int(self._tell("wait", pid)[2])
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
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def _main(work: Path, disk: str, port: int) -> None:
    import connectordb.server  # noqa: F401  once for all lives

    print("ready", flush=True)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "start":
            pid = os.fork()
            if pid == 0:
                _live(work, disk, port)
            print("born", pid, flush=True)
        else:
            _, status = os.waitpid(int(rest[0]), 0)
            print("ended", rest[0], os.waitstatus_to_exitcode(status), flush=True)


def _live(work: Path, disk: str, port: int) -> None:
    """Be a server until a signal; never returns."""
    from connectordb.server import Server

    status = 1
    try:
        os.close(0)
        logging.basicConfig(filename=work / "log", format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
        layer = {"lossy": lambda: LossyDisk(work / "durable"), "full": lambda: FullDisk(Space(work / "space"))}.get(
            disk
        )
        kept = layer() if layer else None
        Server(work / "database", port=port).run()
        status = 0
        del kept
    except BaseException:
        logging.exception("a life ended by an error")
    finally:
        logging.shutdown()
        os._exit(status)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
