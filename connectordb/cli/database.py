"""The embedded server's commands, with the original's names: ``create``, ``start``, ``stop``, ``run``."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import click

from ..runtime.clock import Deadline
from ..server import Server, running
from ..server import create as create_database

#: Seconds that a server may take to listen, and to end.
_PATIENCE = 30.0
_TICK = 0.05

folder = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
host = click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
port = click.option(
    "-p", "--port", default=3124, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 takes a free one."
)


def as_typed(path: Path) -> str:
    """Return a path as it is typed at a prompt."""
    return subprocess.list2cmdline([str(path)]) if sys.platform == "win32" else shlex.quote(str(path))


@click.command()
@folder
@click.option("--test", is_flag=True, help="An administrator 'test' with the password 'test'. For tests only.")
@click.option("--user", metavar="NAME:PASSWORD", help="The administrator. Without it one is made, and told.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; then --user is a NAME.")
@click.option("--email", help="The administrator's email address.")
def create(directory: Path, test: bool, user: str | None, password_stdin: bool, email: str | None) -> None:
    """Make a new database in DIR, which must not exist."""
    if test and (user or password_stdin or email):
        raise click.UsageError("--test makes its own administrator: leave out --user, --password-stdin and --email")
    name, separator, password = (user or "").partition(":")
    if user is not None and not name:
        raise click.UsageError("--user has no name: give --user NAME:PASSWORD")
    if password_stdin:
        if not name or separator:
            raise click.UsageError("with --password-stdin, give --user NAME without a password")
        password = sys.stdin.readline().rstrip("\r\n")
    if name and not password:
        raise click.UsageError(f"no password for {name!r}: give --user NAME:PASSWORD, or --password-stdin")
    if email and not name:
        raise click.UsageError("--email goes with --user")
    created = create_database(directory, user=name or None, password=password or None, email=email, test=test)
    click.echo(f"A new database in {directory}, with the administrator {created.name!r}.")
    if created.password is not None and not (test or name):
        click.echo(f"Its password, shown this once: {created.password}")
    click.echo(f"Start it: connectordb start {as_typed(directory)}")


@click.command()
@folder
@host
@port
def run(directory: Path, host: str, port: int) -> None:
    """Run the server of DIR in the foreground, until Ctrl-C; trouble is told on standard error."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    def started(url: str) -> None:
        click.echo(f"Listening at {url}")
        sys.stdout.flush()

    Server(directory, host=host, port=port).run(started)
    click.echo("Stopped.")


@click.command()
@folder
@host
@port
def start(directory: Path, host: str, port: int) -> None:
    """Start the server of DIR in the background."""
    already = running(directory)
    if already is not None:
        raise click.ClickException(f"a server runs on {directory} already, at {already.url} (process {already.pid})")
    command = [sys.executable, "-m", "connectordb", "run", str(directory), "--host", host, "--port", str(port)]
    log_path = directory / "server.log"
    with open(os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        begin = log.tell()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, close_fds=True
        )
    deadline = Deadline(_PATIENCE)
    tick = threading.Event()
    while (found := running(directory)) is None or found.pid != process.pid or found.url is None:
        if process.poll() is not None:
            said = log_path.read_bytes()[begin:].decode(errors="replace").strip()
            raise click.ClickException(said.rpartition("Error: ")[2] or f"the server ended at once; see {log_path}")
        if deadline.passed():
            process.terminate()
            raise click.ClickException(f"the server does not listen after {_PATIENCE:g} s; see {log_path}")
        tick.wait(_TICK)
    process.returncode = 0  # it goes on without us, on purpose: else Popen warns of that
    click.echo(f"Listening at {found.url} (process {found.pid}; it logs to {log_path})")


@click.command()
@folder
def stop(directory: Path) -> None:
    """Stop the server of DIR."""
    found = running(directory)
    if found is None:
        raise click.ClickException(f"no server runs on {directory}")
    os.kill(found.pid, signal.SIGTERM)
    deadline = Deadline(_PATIENCE)
    tick = threading.Event()
    while running(directory) is not None:
        if deadline.passed():
            raise click.ClickException(f"process {found.pid} has not ended after {_PATIENCE:g} s; end it by hand")
        tick.wait(_TICK)
    click.echo("Stopped.")
