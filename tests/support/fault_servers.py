"""The server behind the proxy: ours, of which everything can be done, or any that runs somewhere."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from connectordb import ConnectorDB
from connectordb.server import create

from .lives import Lives

#: Seconds that a server may take to answer.
_START = 60.0


class Target(Protocol):
    """
    A server.

    Attributes:
        url: Where it listens.
        powers: What can be done to it: ``kill``, ``freeze``, ``copy``.
    """

    url: str
    powers: frozenset[str]

    def login(self) -> ConnectorDB:
        """Return a connection of the administrator."""

    def kill(self) -> None:
        """End it as ``kill -9`` does; that it is started again is not said."""

    def back(self) -> None:
        """Have it run, and answer."""

    def freeze(self) -> None:
        """Stop it by SIGSTOP."""

    def thaw(self) -> None:
        """Let it go on."""

    def keep(self) -> None:
        """Copy what it has on the disk now; it is killed for that, and started again."""

    def set_back(self) -> None:
        """Have it on the disk what was kept, and start."""

    def close(self) -> None:
        """End it, if it is ours."""


class OwnServer:
    """
    Our server on a new database, in a process that is killed and forked off again.

    Args:
        work: A folder.
        config: Text of a ``connectordb.toml``.
    """

    powers = frozenset({"kill", "freeze", "copy"})

    def __init__(self, work: Path, config: str = "") -> None:
        self._database, self._kept = work / "database", work / "kept"
        create(self._database, test=True)
        if config:
            (self._database / "connectordb.toml").write_text(config, encoding="utf-8")
        self._lives = Lives(work, "real")
        self.url = f"http://127.0.0.1:{self._lives.port}"
        # guards the process: a fault may kill it while somebody looks whether it is there
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._frozen = False
        self.back()

    def login(self) -> ConnectorDB:
        return ConnectorDB("test", "test", url=self.url)

    def kill(self) -> None:
        with self._lock:
            if self._pid is not None:
                self._lives.end(self._pid)
                self._pid = None
                self._frozen = False

    def back(self) -> None:
        with self._lock:
            if self._pid is None:
                self._pid = self._lives.start()
                wait_for(self.url)

    def freeze(self) -> None:
        with self._lock:
            if self._pid is not None:
                os.kill(self._pid, signal.SIGSTOP)
                self._frozen = True

    def thaw(self) -> None:
        with self._lock:
            if self._pid is not None and self._frozen:
                os.kill(self._pid, signal.SIGCONT)
                self._frozen = False

    def keep(self) -> None:
        self.kill()
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self._database, self._kept)
        self.back()

    def set_back(self) -> None:
        self.kill()
        shutil.rmtree(self._database)
        shutil.copytree(self._kept, self._database)
        self.back()

    def close(self) -> None:
        self.thaw()
        self.kill()
        self._lives.close()


class GivenServer:
    """
    Any server of the 0.3 protocol.

    Args:
        url: Where it listens.
        credentials: The administrator's name and password, or a key.
        restart: A command that kills it and starts it again; without one it is never killed.
        pid_file: A file with its process, which is stopped and continued by it; without one it is not.
    """

    def __init__(self, url: str, credentials: tuple[str, ...], restart: str = "", pid_file: str = "") -> None:
        self.url = url
        self._credentials = credentials
        self._restart = restart
        self._pid_file = pid_file
        self._frozen: int | None = None
        self.powers = frozenset({*(["kill"] if restart else []), *(["freeze"] if pid_file else [])})

    def login(self) -> ConnectorDB:
        return ConnectorDB(*self._credentials, url=self.url)

    def kill(self) -> None:
        done = subprocess.run(self._restart, shell=True, timeout=_START, check=False, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"{self._restart!r} failed: {done.stdout}{done.stderr}")

    def back(self) -> None:
        wait_for(self.url)

    def freeze(self) -> None:
        self._frozen = int(Path(self._pid_file).read_text())
        os.kill(self._frozen, signal.SIGSTOP)

    def thaw(self) -> None:
        if self._frozen is not None:
            os.kill(self._frozen, signal.SIGCONT)
            self._frozen = None

    def keep(self) -> None:
        raise NotImplementedError("the files of a given server are not ours")

    def set_back(self) -> None:
        raise NotImplementedError("the files of a given server are not ours")

    def close(self) -> None:
        self.thaw()


def wait_for(url: str) -> None:
    """Wait until a server answers, whatever it says."""
    address = urlsplit(url)
    deadline = time.monotonic() + _START
    pause = threading.Event()
    while True:
        connection = http.client.HTTPConnection(address.hostname or "localhost", address.port, timeout=_START)
        try:
            connection.request("GET", "/api/v1/?q=this")
            connection.getresponse().read()
            return
        except (OSError, http.client.HTTPException):
            if time.monotonic() > deadline:
                raise
        finally:
            connection.close()
        pause.wait(0.005)
