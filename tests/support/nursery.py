"""
A process that has everything imported and, told so, forks a child off: a life costs milliseconds, not the second of an import.

A module that has such lives runs `serve` as a program; `Nursery` is who tells it to. Commands are lines: ``start WORD…`` answers
``born PID``, ``wait PID`` answers ``ended PID STATUS``.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

from .command_line import TOP, environment

#: What the package loads only when it is used, which each life would do anew.
_USED = ("connectordb.client.settings.choosing", "filelock", "orjson", "websocket")


class Nursery:
    """
    The process that *module* is, run as a program.

    Args:
        module: Its name; it calls `serve`.
        arguments: What it is given.
    """

    def __init__(self, module: str, *arguments: object) -> None:
        # one command at a time: a life may be ended by another thread than the one that began it
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *(str(argument) for argument in arguments)],
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
            raise AssertionError("the process that forks others off has ended; its errors are above")
        return line.split()

    def _tell(self, *words: object) -> list[str]:
        assert self._process.stdin is not None
        with self._lock:
            print(*words, file=self._process.stdin, flush=True)
            return self._said()

    def start(self, *words: object) -> int:
        """Begin a life, which is given *words*; return its process."""
        return int(self._tell("start", *words)[1])

    def wait(self, pid: int) -> int:
        """Wait for the end of a life; return its status, negative if it was a signal."""
        return int(self._tell("wait", pid)[2])

    def kill(self, pid: int, number: int = signal.SIGKILL) -> int:
        """End a life by a signal; return its status."""
        os.kill(pid, number)
        return self.wait(pid)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def serve(live: Callable[[list[str]], int]) -> None:
    """
    Be such a process until the end of input, which ends who still lives, too.

    Args:
        live: A life, given the words that it was started with; it returns its status.
    """
    for module in _USED:
        importlib.import_module(module)
    alive: set[int] = set()
    print("ready", flush=True)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "start":
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    os.close(0)
                    status = live(rest)
                finally:
                    os._exit(status)
            alive.add(pid)
            print("born", pid, flush=True)
        else:
            _, status = os.waitpid(int(rest[0]), 0)
            alive.remove(int(rest[0]))
            print("ended", rest[0], os.waitstatus_to_exitcode(status), flush=True)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
