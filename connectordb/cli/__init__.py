"""
The command line: ``connectordb …``, also ``python -m connectordb …``.

One file per group of commands. click and rich (the extra ``cli``) are imported here and nowhere else; commands say what they
did on standard output, what went wrong in one line on standard error, and end with a status of 1 if it did, of 130 after Ctrl-C.
"""

from __future__ import annotations

import io
import os
import sys

__all__ = ["INTERRUPTED", "main", "nobody_reads"]

#: The status of a command that Ctrl-C ended, as shells have it.
INTERRUPTED = 130


def main() -> None:
    """Run the command line of this process."""
    try:
        from .commands import commands
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.exit(f"connectordb: the command line needs {error.name!r}: pip install 'ConnectorDB[cli]'")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="replace"
        )  # where the locale has no letter for what others have written, a ? stands
    try:
        commands(prog_name="connectordb")
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            nobody_reads()


def nobody_reads() -> None:
    """Have standard output, whose reader has ended, take what is still in the buffer: at its end Python writes that, too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
