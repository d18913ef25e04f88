"""Runs ``connectordb …``: as a user does, in a process of its own, or here, where a process would show nothing more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from connectordb.cli.commands import commands

TOP = Path(__file__).parent.parent.parent

#: Seconds after which a command that has not ended is a failure.
PATIENCE = 60.0


def command(*arguments: object) -> list[str]:
    """Return the command line that runs ``connectordb`` with these arguments, in this Python."""
    return [sys.executable, "-m", "connectordb", *(str(argument) for argument in arguments)]


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which the package is found from anywhere."""
    return {**os.environ, "PYTHONPATH": str(TOP), "NO_COLOR": "1", "PYTHONWARNINGS": "error", **more}


def connectordb(*arguments: object, stdin: str = "", timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(),
        check=False,
    )


def here(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command to its end as `connectordb` does, but in this process, which has everything imported."""
    typed = [str(argument) for argument in arguments]
    done = CliRunner().invoke(commands, typed, input=stdin, prog_name="connectordb")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(typed, done.exit_code, done.stdout, done.stderr)
