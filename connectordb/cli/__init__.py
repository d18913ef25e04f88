"""
The command line: ``connectordb …``, also ``python -m connectordb …``.

There is one file for each group of commands. Only this room imports click and rich (the extra ``cli``). Commands print results to
standard output, and errors as one line to standard error; the exit status is 1 after an error, and 130 after Ctrl-C.
"""

from __future__ import annotations

import io
import os
import sys

__all__ = ["INTERRUPTED", "main", "nobody_reads"]

#: The exit status of a command that Ctrl-C ended, as in shells.
INTERRUPTED = 130


def main() -> None:
    """Run the command that is on this process's command line."""
    try:
        from .commands import commands
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.exit(f"connectordb: the command line needs {error.name!r}: pip install 'ConnectorDB[cli]'")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # data may contain letters that the locale cannot express: print a ? for them
        sys.stdout.reconfigure(errors="replace")
    try:
        commands(prog_name="connectordb")
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            nobody_reads()


def nobody_reads() -> None:
    """Redirect standard output, whose reader has ended, to the null device, as Python flushes its buffer at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
