"""Servers as processes of their own: ours as users start it, baselines by ``_baselines.py``; and the memory they take."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

_BASELINES = Path(__file__).with_name("_baselines.py")

#: Seconds that a server may take to end.
_PATIENCE = 20.0


class Program:
    """A server that runs; `url` is where, `pid` its process."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.pid = process.pid
        self.url = url

    def ask(self, line: str) -> str:
        """Say a line to one that was started with ``stdin``, and return the line that it answers."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def memory(self) -> float:
        """Return the resident memory now, in MiB."""
        return float(psutil.Process(self.pid).memory_info().rss) / 2**20

    def processor(self) -> float:
        """Return the seconds of processor time that it has taken so far."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def forget_peak(self) -> None:
        """Have `peak` begin anew, where the system can (Linux)."""
        with contextlib.suppress(OSError):
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak(self) -> float:
        """Return the highest resident memory since `forget_peak`, in MiB; where the system does not tell, that of now."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return self.memory()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024


@contextlib.contextmanager
def started(*command: str, stdin: bool = False) -> Iterator[Program]:
    """Run a server whose first line of output ends with its URL, until the block is left; *stdin*: it takes orders there."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE if stdin else None, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if "http://" not in line:
            raise RuntimeError(f"{' '.join(command)} said {line!r} where it should have told its URL")
        yield Program(process, line.split()[-1])
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            for pipe in (process.stdin, process.stdout):
                pipe and pipe.close()


def ours(database: Path) -> contextlib.AbstractContextManager[Program]:
    """Run our server on a database folder, as ``connectordb run`` does."""
    command = (sys.executable, "-m", "connectordb", "run", str(database), "--port", "0")
    return started(*command, "--log-file", str(database / "server.log"))


def baseline(kind: str, *arguments: str | Path) -> contextlib.AbstractContextManager[Program]:
    """Run one of the bare aiohttp servers of ``_baselines.py``."""
    return started(sys.executable, str(_BASELINES), kind, *map(str, arguments))
