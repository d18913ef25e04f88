"""
The embedded server in a process of its own: for what kills it, measures it, or needs all of its processor.

The process tells its URL on standard output and then answers each line on standard input: ``counts`` with how many of the
objects that come and go with clients there are, so that what is forgotten is seen; the end of input ends it.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from .case import SOON
from .command_line import connectordb, environment

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True)
class Usage:
    """
    What a process holds, as the system tells it.

    Attributes:
        memory: Bytes that are resident.
        files: Open file descriptors.
        threads: Threads.
        wal: Bytes of the database's write-ahead log.
        processor: Seconds of processor time since it began.
    """

    memory: int
    files: int
    threads: int
    wal: int
    processor: float


class ServerProcess:
    """
    A server on a database folder, with the administrator test/test; made, started, killed and started again on its port.

    Args:
        folder: Where its database and its log go; it must exist.
        config: Text of a ``connectordb.toml``.
        cheap_passwords: Hash passwords with the lowest cost, which only takes time.
    """

    def __init__(self, folder: Path, config: str = "", *, cheap_passwords: bool = False) -> None:
        self._cheap_passwords = cheap_passwords
        self.database = folder / "database"
        self.log = folder / "server.log"
        self.port = 0
        self.url = ""
        self._process: subprocess.Popen[str] | None = None
        done = connectordb("create", self.database, "--test")
        if done.returncode:
            raise RuntimeError(f"no database was made: {done.stderr}")
        if config:
            (self.database / "connectordb.toml").write_text(config, encoding="utf-8")

    @property
    def pid(self) -> int:
        """The process that serves."""
        return self._running().pid

    def start(self) -> None:
        """Start, on the port that it had before."""
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", __name__, str(self.database), str(self.port)),
                    *(["cheap-passwords"] if self._cheap_passwords else []),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment(),
            )
        answer = self._read_line()
        self.url = answer["url"]
        self.port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """End it as a power cut does, from the process's point of view."""
        self._running().kill()
        self._forget()

    def stop(self) -> None:
        """End it well."""
        process = self._running()
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
        self._forget()

    def counts(self) -> dict[str, int]:
        """Return how many objects there are of what comes and goes with clients."""
        process = self._running()
        assert process.stdin is not None
        process.stdin.write("counts\n")
        process.stdin.flush()
        counts: dict[str, int] = self._read_line()
        return counts

    def usage(self) -> Usage:
        """Return what the process holds (where there is ``/proc``)."""
        about = Path(f"/proc/{self.pid}")
        fields = (about / "stat").read_text().rpartition(")")[2].split()
        wal = next(iter(self.database.glob("*-wal")), None)
        return Usage(
            memory=int((about / "statm").read_text().split()[1]) * _PAGE,
            files=len(os.listdir(about / "fd")),
            threads=int(fields[17]),
            wal=wal.stat().st_size if wal is not None else 0,
            processor=(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
        )

    def said(self) -> str:
        """Return what the server has logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> ServerProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop() if kind is None else self.kill()
        self._forget()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process

    def _read_line(self) -> Any:
        """Return what the process tells next; one that tells nothing is killed."""
        process = self._running()
        assert process.stdout is not None
        watchdog = threading.Timer(3 * SOON, process.kill)
        watchdog.start()
        try:
            line = process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise RuntimeError(f"the server has ended:\n{self.said()[-4000:]}")
        return json.loads(line)

    def _forget(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.kill()
        process.wait(30)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass  # what was still to be told to a process that is gone


#: What is counted: these come and go with clients, and none may stay when they are gone.
_COUNTED = ("Connection", "Outbox", "_Connection", "WebSocketResponse", "Pages", "Task")


def count() -> dict[str, int]:
    """Return how many of each there are in this process, and the subscriptions of its hub."""
    from connectordb.server.subscribers.hub import Hub

    gc.collect()
    counts = dict.fromkeys(_COUNTED, 0)
    counts["subscriptions"] = 0
    for item in gc.get_objects():
        name = type(item).__name__
        if name in counts:
            counts[name] += 1
        elif type(item) is Hub:
            counts["subscriptions"] += len(item)
    return counts


def main() -> None:
    """Serve until the end of input."""
    from connectordb.server import Server
    from connectordb.server.rights import passwords

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    directory, port, *more = sys.argv[1:]
    if "cheap-passwords" in more:
        passwords._N, passwords._P = 16, 1
    with Server(directory, port=int(port)) as server:
        print(json.dumps({"url": server.url}), flush=True)
        for _ in sys.stdin:
            print(json.dumps(count()), flush=True)


if __name__ == "__main__":
    main()
