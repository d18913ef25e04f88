"""The commands of the embedded server, named as those of the original: ``create``, ``start``, ``stop``, ``run``."""

from __future__ import annotations

import gc
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import click

from ..runtime.clock import Deadline
from ..server import Logs, Running, Server, make_room, running
from ..server import create as create_database
from .config import chosen, settings
from .printing import as_json, show

#: Seconds that a server may take to start, and to end; and seconds between two looks whether it has.
_PATIENCE = 30.0
_TICK = 0.05

#: The log of a server in the background, in the database folder, unless configured otherwise.
_LOG = "server.log"

#: How many new objects make Python's garbage collector run in a server's process.
_GARBAGE = 10_000

folder = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))


def as_typed(path: Path) -> str:
    """Return a path as one would type it at a shell's prompt."""
    return subprocess.list2cmdline([str(path)]) if sys.platform == "win32" else shlex.quote(str(path))


@click.command()
@folder
@click.option("--test", is_flag=True, help="Create an administrator 'test' with the password 'test'. For tests only.")
@click.option(
    "--user",
    metavar="NAME:PASSWORD",
    help="The administrator. By default: your own user name, and a password that is printed.",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; then --user is a NAME.")
@click.option("--email", metavar="ADDRESS", help="The administrator's email address.")
@as_json
def create(
    directory: Path, test: bool, user: str | None, password_stdin: bool, email: str | None, as_json: bool
) -> None:
    """Create a new database in DIR, which must not exist."""
    if test and (user or password_stdin or email):
        raise click.UsageError("--test makes its own administrator: leave out --user, --password-stdin and --email")
    name, separator, password = (user or "").partition(":")
    if user is not None and not name:
        raise click.UsageError("--user has no name: give --user NAME:PASSWORD")
    if password_stdin:
        if not name or separator:
            raise click.UsageError("with --password-stdin, give --user NAME without a password")
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise click.UsageError(f"no password for {name!r}: the first line of standard input is empty")
    if name and not password:
        raise click.UsageError(f"no password for {name!r}: give --user NAME:PASSWORD, or --password-stdin")
    if email and not name:
        raise click.UsageError("--email goes with --user")
    created = create_database(directory, user=name or None, password=password or None, email=email, test=test)
    told = created.password if not (test or name) else None
    if as_json:
        show({"directory": str(directory), "user": created.name, "password": told})
        return
    click.echo(f"A new database in {directory}, with the administrator {created.name!r}.")
    if told is not None:
        click.echo(f"Its password, shown only this once: {told}")
    click.echo(f"Start it: connectordb start {as_typed(directory)}")


@click.command()
@folder
@settings
def run(directory: Path, **options: Any) -> None:
    """
    Run the server for DIR in the foreground, until Ctrl-C.

    Its log goes to standard error, unless configured otherwise.
    """
    config = chosen(directory, **options)

    def started(url: str) -> None:
        # what exists now stays, so the collector need not go through it each time. And requests create hardly anything that only
        # the collector can free; with Python's threshold of 700 objects it would run every dozen requests
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GARBAGE)
        click.echo(f"Listening at {url}")
        sys.stdout.flush()

    logs = Logs(config.log, directory)
    make_room(config.limits.connections)
    try:
        Server(directory, config=config).run(started, reloaded=logs.reopen)
    finally:
        logs.close()
    click.echo("Stopped.")


@click.command()
@folder
@settings
@as_json
def start(directory: Path, as_json: bool, **options: Any) -> None:
    """
    Start the server for DIR in the background.

    Its log goes to server.log in DIR, unless configured otherwise.
    """
    config = chosen(directory, **options)
    already = running(directory)
    if already is not None:
        raise click.ClickException(f"a server runs on {directory} already, at {already.url} (process {already.pid})")
    log_path = (directory / (config.log.file or _LOG)).absolute()
    command = [
        sys.executable,
        "-m",
        "connectordb",
        "run",
        str(directory),
        *_typed(options),
        "--log-file",
        str(log_path),
    ]
    # standard error goes to the log as well: errors before the log is opened, and those of the interpreter itself
    with _appended(log_path) as log:
        begin = log.tell()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            close_fds=True,
        )
    try:
        found = _listening(directory, process, log_path, begin)
    except BaseException:  # Ctrl-C, too
        process.terminate()
        raise
    process.returncode = 0  # keeps Popen from warning that the process still runs, as it should
    if as_json:
        show({"url": found.url, "process": found.pid, "log": str(log_path)})
    else:
        click.echo(f"Listening at {found.url} (process {found.pid}; it logs to {log_path})")


def _listening(directory: Path, process: subprocess.Popen[bytes], log_path: Path, begin: int) -> Running:
    """Wait until the server in *process* listens, and return what is known of it; its part of the log begins at *begin*."""
    deadline = Deadline(_PATIENCE)
    tick = threading.Event()
    while (found := running(directory)) is None or found.pid != process.pid or found.url is None:
        if process.poll() is not None:
            said = log_path.read_bytes()[begin:].decode(errors="replace").strip()
            raise click.ClickException(
                said.rpartition("Error: ")[2]
                # it may have logged nothing at all, for instance as there is no space
                or f"the server ended at once, and its log ({log_path}) says nothing; "
                f"`connectordb run {as_typed(directory)}` shows why"
            )
        if deadline.passed():
            raise click.ClickException(f"the server does not listen after {_PATIENCE:g} s; see {log_path}")
        tick.wait(_TICK)
    return found


def _appended(path: Path) -> BinaryIO:
    """Open a file for appending, which is created so that only its owner may read it."""
    try:
        return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
    except OSError as error:
        raise click.ClickException(f"log.file: writing {str(path)!r}: {error.strerror}") from error


def _typed(options: Mapping[str, Any]) -> list[str]:
    """Return the options of `settings` as words of a command line, without the one for the log."""
    typed: list[str] = []
    for name, value in options.items():
        if name == "log_file" or value is None or value is False:
            continue
        typed.append("--config" if name == "file" else f"--{name.replace('_', '-')}")
        if value is not True:
            typed.append(str(value))
    return typed


@click.command()
@folder
def stop(directory: Path) -> None:
    """Stop the server for DIR."""
    found = running(directory)
    if found is None:
        raise click.ClickException(f"no server runs on {directory}")
    try:
        os.kill(found.pid, signal.SIGTERM)
    except PermissionError as error:
        raise click.ClickException(f"process {found.pid} belongs to somebody else; stop it as that user") from error
    except ProcessLookupError:
        pass  # it has ended in the meantime
    deadline = Deadline(_PATIENCE)
    tick = threading.Event()
    while running(directory) is not None:
        if deadline.passed():
            raise click.ClickException(f"process {found.pid} has not ended after {_PATIENCE:g} s; end it by hand")
        tick.wait(_TICK)
    click.echo("Stopped.")
