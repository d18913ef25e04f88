"""
Runs ``connectordb …`` in processes of their own that cost milliseconds: forked off from one that has everything imported.

Input and output are files and closed pipes, as a shell has them; the status, and what Python does at its end, are real.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Any

from .nursery import Nursery, serve

#: What runs in a child.
_MODULE = __name__


class ForkedCommands:
    """Commands that run beside each other: begin them all, then ask for what became of each."""

    def __init__(self) -> None:
        self._nursery = Nursery(_MODULE)
        self._folder = tempfile.TemporaryDirectory()
        self._number = 0

    def close(self) -> None:
        """End all of it."""
        self._nursery.close()
        self._folder.cleanup()

    def begin(self, *arguments: str, stdin: str = "", unread: bool = False, **variables: str) -> Running:
        """
        Run a command.

        Args:
            arguments: What is typed.
            stdin: What it reads.
            unread: Whether standard output is a pipe whose reader has ended.
            variables: Of its environment.
        """
        self._number += 1
        folder = Path(self._folder.name) / str(self._number)
        folder.mkdir()
        (folder / "stdin").write_text(stdin)
        told = {"arguments": arguments, "folder": str(folder), "unread": unread, "variables": variables}
        pid = self._nursery.start(urlsafe_b64encode(json.dumps(told).encode()).decode())
        return Running(self._nursery, pid, folder, arguments)


class Running:
    """A command that was begun."""

    def __init__(self, nursery: Nursery, pid: int, folder: Path, arguments: tuple[str, ...]) -> None:
        self._nursery, self._pid, self._folder, self._arguments = nursery, pid, folder, arguments

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.kill(self._pid, signal.SIGINT)

    def so_far(self) -> str:
        """Return what it has printed."""
        return (self._folder / "stdout").read_text()

    def ended(self) -> subprocess.CompletedProcess[str]:
        """Wait for its end; return what became of it."""
        status = self._nursery.wait(self._pid)
        said = [(self._folder / name).read_text() for name in ("stdout", "stderr")]
        return subprocess.CompletedProcess(["connectordb", *self._arguments], status, *said)


def _live(words: list[str]) -> int:
    told: dict[str, Any] = json.loads(urlsafe_b64decode(words[0]))
    folder = Path(told["folder"])
    os.environ.update(told["variables"])
    _connect(folder, told["unread"])
    return lived(told["arguments"])


def lived(arguments: list[str]) -> int:
    """Be the command with these *arguments*, in this process, whose standard files are in place; return its status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["connectordb", *arguments]
    from connectordb.cli import main

    sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), "utf-8")
    sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), "utf-8")
    sys.stderr = io.TextIOWrapper(open(2, "wb", buffering=0, closefd=False), "utf-8", write_through=True)
    status = 0
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # as the interpreter does
        sys.excepthook(*sys.exc_info())
        status = 1
    for file in (sys.stdout, sys.stderr):
        try:
            file.flush()
        except OSError as error:
            print("Exception ignored while flushing at the end:", error, file=sys.stderr, flush=True)
            status = 120
    return status


def _connect(folder: Path, unread: bool) -> None:
    """Have the standard files be those of the folder."""
    opened = [os.open(folder / "stdin", os.O_RDONLY)]  # it is number 0, which was closed
    if unread:
        read, write = os.pipe()
        os.close(read)
        opened.append(write)
    else:
        opened.append(os.open(folder / "stdout", os.O_WRONLY | os.O_CREAT))
    opened.append(os.open(folder / "stderr", os.O_WRONLY | os.O_CREAT))
    become_standard(opened)
    (folder / "stdout").touch()


def become_standard(files: list[int]) -> None:
    """Have open *files* be standard input, output and error."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        if file > 2:
            os.close(file)


def preload() -> None:
    """Import what commands load when they run."""
    import configparser  # noqa: F401

    import click
    import jsonschema  # noqa: F401
    import rich.status  # noqa: F401

    from connectordb.cli.commands import commands
    from connectordb.client import completion, load, save  # noqa: F401
    from connectordb.network import dialling, names  # noqa: F401
    from connectordb.protocol import indices  # noqa: F401

    for name in commands.list_commands(click.Context(commands)):
        commands.get_command(click.Context(commands), name)


if __name__ == "__main__":
    preload()
    serve(_live)
