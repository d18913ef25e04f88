"""
A shell as readers of the pages have it: a folder, a home, a terminal at which passwords are typed, and ``connectordb``.

That one is not a new Python each time, which imports for most of a second, but a small program that hands what it was given to a
process that has everything imported. There a child is forked off: it has the folder, the variables and the open files of the shell.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from .command_line import PATIENCE, TOP
from .forked_commands import become_standard, lived, preload

_SIZE = 4

#: ``connectordb``, as the shell finds it.
_PROGRAM = """#!{python} -IS
import json, os, signal, socket, sys
with socket.socket(socket.AF_UNIX) as door:
    door.connect({door!r})
    signal.signal(signal.SIGINT, lambda *_: door.shutdown(socket.SHUT_WR))
    told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(door, [len(told).to_bytes({size}, "big")], [0, 1, 2])
    door.sendall(told)
    sys.exit(int(door.recv(9) or b"1"))
"""


class Commands:
    """The process that will have everything imported, and a folder with the ``connectordb`` that asks it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name)
        door = self.path / "door"
        program = self.path / "connectordb"
        program.write_text(_PROGRAM.format(python=sys.executable, door=str(door), size=_SIZE))
        program.chmod(0o700)
        # in a session of its own it has no terminal but the one that it is handed
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(door)], stdout=subprocess.PIPE, cwd=TOP, start_new_session=True
        )
        self._is_ready = False

    def wait(self) -> None:
        """Wait until it has everything imported."""
        assert self._process.stdout is not None
        if not self._is_ready and not self._process.stdout.readline():
            raise AssertionError("the process that commands are forked off has ended; its errors are above")
        self._is_ready = True

    def close(self) -> None:
        """End it."""
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait(PATIENCE)
        self._process.stdout.close()
        self._folder.cleanup()


class Terminal:
    """
    A terminal with a shell in *folder*, which is also its home.

    Args:
        commands: Where ``connectordb`` comes from.
        folder: Programs that are in it are found, too.
        variables: What its environment has besides.
    """

    def __init__(self, commands: Commands, folder: Path, **variables: str) -> None:
        import pty  # there is none on Windows

        self._commands, self._folder = commands, folder
        self._variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("CONNECTORDB_", "XDG_"))},
            "HOME": str(folder),
            "PATH": os.pathsep.join([str(commands.path), str(folder), os.environ["PATH"]]),
            "PYTHONPATH": str(TOP),
            "NO_COLOR": "1",
            "COLUMNS": "88",
            **variables,
        }
        self._keyboard, self._terminal = pty.openpty()
        self._staying: list[subprocess.Popen[bytes]] = []

    def run(self, command: str, passwords: dict[str, str], stays: bool = False) -> tuple[int, str]:
        """
        Run a command line, type what it asks for, and return its status and what it said.

        Args:
            command: The line.
            passwords: What is typed, by a word of what is asked; a question whether to do it gets a yes.
            stays: Whether it goes on until somebody ends it: then it is left alone once it has said something.

        Raises:
            AssertionError: It did not end.
        """
        self._commands.wait()
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                ["sh", "-c", f"trap : INT; {command}"],  # at Ctrl-C it waits for what it has begun
                stdin=self._terminal,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=self._variables,
                start_new_session=True,
            )
            self._staying.append(process)
            tick, end, answered = threading.Event(), time.monotonic() + PATIENCE, 0
            while process.poll() is None:
                text = os.pread(said.fileno(), 1 << 20, 0).decode()
                if stays and text:
                    return 0, text
                if len(text) > answered and text.endswith((": ", "? ")):
                    answered = len(text)
                    typed = [word for asked, word in passwords.items() if asked in text.splitlines()[-1]] or ["y"]
                    os.write(self._keyboard, f"{typed[0]}\n".encode())
                if time.monotonic() > end:
                    raise AssertionError(f"{command!r} has not ended within {PATIENCE:g} s, and said {text!r}")
                tick.wait(0.002)
            self._staying.remove(process)
            return process.returncode, os.pread(said.fileno(), 1 << 20, 0).decode()

    def close(self) -> None:
        """Press Ctrl-C for what stays, and wait for its end."""
        for process in self._staying:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(PATIENCE)
        os.close(self._keyboard)
        os.close(self._terminal)


def _serve(path: str) -> None:
    """Fork a child off for each that comes to the door at *path*."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()
        print("ready", flush=True)
        while True:
            caller, _ = door.accept()
            if os.fork() == 0:
                door.close()
                try:
                    _live(caller)
                finally:
                    os._exit(1)
            caller.close()


def _live(caller: socket.socket) -> None:
    """Be the command of who has called."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, _, _ = socket.recv_fds(caller, _SIZE, 3)
    told = b""
    while len(told) < int.from_bytes(size, "big"):
        told += caller.recv(1 << 16)
    arguments, folder, variables = json.loads(told)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    become_standard(files)

    def watch() -> None:
        if not caller.recv(1):  # Ctrl-C, or the shell's program was ended
            os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, daemon=True).start()
    caller.sendall(str(lived(arguments)).encode())


if __name__ == "__main__":
    preload()
    _serve(sys.argv[1])
