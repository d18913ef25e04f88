"""Looking after a database's files: ``check``, ``backup``, ``restore``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..server import Finding
from ..server import backup as write_backup
from ..server import check as check_database
from ..server import restore as restore_backup
from .database import as_typed, folder
from .progress import shown


@click.command()
@folder
def check(directory: Path) -> None:
    """
    Go through all of the database in DIR, and say what is wrong, a line each.

    It only reads, and the server may run. Ends with the status 1 if something is wrong.
    """

    def tell(finding: Finding) -> None:
        click.echo(str(finding))

    with shown("Checking") as progress:
        checked = check_database(directory, tell, progress)
    seen = f"{checked.streams:,} streams, {checked.points:,} points"
    if not checked.findings:
        click.echo(f"{seen}: nothing is wrong.")
        return
    click.echo(f"{seen}: {checked.findings:,} faults.")
    sys.exit(1)


@click.command()
@folder
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
def backup(directory: Path, file: Path) -> None:
    """
    Write all of the database in DIR into FILE, which must not exist; the server may run.

    The copy is checked before it gets its name. It holds keys and passwords' hashes, and is readable by you alone.
    """
    with shown("Backing up") as progress:
        write_backup(directory, file, progress)
    click.echo(f"A backup, checked: {file} ({file.stat().st_size:,} bytes)")


@click.command()
@folder
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="If there is a database in DIR, put it aside under another name.")
def restore(directory: Path, file: Path, force: bool) -> None:
    """Make the database in DIR again from FILE, a backup. DIR must not exist, or be empty; no server may run on it."""
    with shown("Restoring") as progress:
        old = restore_backup(directory, file, keep_old=force, progress=progress)
    if old is not None:
        click.echo(f"What was there before is in {old}")
    click.echo(f"Restored, checked: {directory}")
    click.echo(f"Start it: connectordb start {as_typed(directory)}")
