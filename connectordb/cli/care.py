"""Looking after a database's files: ``check``, ``backup``, ``restore``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..server import Finding, running
from ..server import backup as write_backup
from ..server import check as check_database
from ..server import restore as restore_backup
from ..server import salvage as salvage_database
from .database import as_typed, folder
from .progress import shown


@click.command()
@folder
@click.option(
    "--salvage",
    "out",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="Write all that can be read to OUT, as an export, which `connectordb import` reads.",
)
def check(directory: Path, out: Path | None) -> None:
    """
    Go through the database in DIR and say what is wrong.

    Each fault is a line. It only reads, and the server may run (with --salvage, stop it). Ends with the status 1 if something is wrong, or was lost.
    """
    if out is not None:
        _salvage(directory, out)
        return
    with shown("Checking") as progress:
        checked = check_database(directory, _tell, progress)
    seen = f"{checked.streams:,} streams, {checked.points:,} points"
    if not checked.findings:
        click.echo(f"{seen}: nothing is wrong.")
        return
    click.echo(f"{seen}: {checked.findings:,} fault{'s' * (checked.findings != 1)}.")
    sys.exit(1)


def _tell(finding: Finding) -> None:
    click.echo(str(finding))


def _salvage(directory: Path, out: Path) -> None:
    if (directory / "connectordb.db").exists() and (server := running(directory)) is not None:
        raise click.ClickException(f"a server runs on {directory} (process {server.pid}): stop it first")
    with shown("Salvaging") as progress:
        salvaged = salvage_database(directory, out, _tell, progress)
    click.echo(
        f"{salvaged.users:,} users, {salvaged.devices:,} devices, {salvaged.streams:,} streams, {salvaged.points:,} points "
        f"are in {out}; {f'{salvaged.losses:,} losses are told above' if salvaged.losses else 'nothing was lost'}."
    )
    if salvaged.users:
        click.echo("Make a database of them: connectordb import NEW " + as_typed(out))
    if salvaged.losses:
        sys.exit(1)


@click.command()
@folder
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
def backup(directory: Path, file: Path) -> None:
    """
    Copy the database in DIR into FILE; the server may run.

    FILE must not exist. The copy is checked before it gets its name. It holds keys and passwords' hashes, and is readable by you alone.
    """
    with shown("Backing up") as progress:
        write_backup(directory, file, progress)
    click.echo(f"A backup, checked: {file} ({file.stat().st_size:,} bytes)")


@click.command()
@folder
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="If there is a database in DIR, put it aside under another name.")
def restore(directory: Path, file: Path, force: bool) -> None:
    """
    Make the database in DIR again from FILE, a backup.

    DIR must not exist, or be empty; no server may run on it.
    """
    with shown("Restoring") as progress:
        old = restore_backup(directory, file, keep_old=force, progress=progress)
    if old is not None:
        click.echo(f"What was there before, its settings too, is in {old}")
    click.echo(f"Restored, checked: {directory}")
    click.echo(f"Start it: connectordb start {as_typed(directory)}")
