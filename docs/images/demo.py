"""Draws ``docs/images/demo.svg``, what ``connectordb demo`` shows in a terminal: ``python docs/images/demo.py``, on Linux or macOS."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS, LINES = 96, 60
HERE = Path(__file__).parent


def shown(*command: str) -> str:
    """Return what a command shows in a terminal, with its colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(HERE.parent.parent)}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        read = b""
        try:
            while block := os.read(ours, 1 << 16):
                read += block
        except OSError:  # how Linux says that nobody holds the other end any more
            pass
    os.close(ours)
    return read.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown(sys.executable, "-m", "connectordb", "demo").rstrip()))
    picture = console.export_svg(title="$ connectordb demo")
    (HERE / "demo.svg").write_text("".join(f"{line.rstrip()}\n" for line in picture.splitlines()), encoding="utf-8")
