"""Looking after a database's files: ``check``, ``backup``, ``restore``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from ..server import Finding, running
from ..server import backup as write_backup
from ..server import check as check_database
from ..server import restore as restore_backup
from ..server import salvage as salvage_database
from .database import as_typed, folder
from .printing import as_json, counted, show
from .progress import shown


@click.command()
@folder
@as_json
@click.option(
    "--salvage",
    "out",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="Write everything that can be read to OUT, as an export for connectordb import.",
)
def check(directory: Path, out: Path | None, as_json: bool) -> None:
    """
    Check the database in DIR and report what is wrong.

    Each fault is one line. The command only reads, and the server may run (with --salvage, stop it). The exit status is 1 if
    something is wrong, or was lost.
    """
    if out is not None:
        _salvage(directory, out, as_json)
        return
    findings: list[Finding] = []
    with shown("Checking") as progress:
        checked = check_database(directory, findings.append if as_json else _tell, progress)
    if as_json:
        show({**asdict(checked), "findings": [asdict(finding) for finding in findings]})
    else:
        faults = counted(checked.findings, "fault") if checked.findings else "nothing is wrong"
        click.echo(f"{counted(checked.streams, 'stream')}, {counted(checked.points, 'point')}: {faults}.")
    if checked.findings:
        sys.exit(1)


def _tell(finding: Finding) -> None:
    click.echo(str(finding))


def _salvage(directory: Path, out: Path, as_json: bool) -> None:
    if (directory / "connectordb.db").exists() and (server := running(directory)) is not None:
        raise click.ClickException(f"a server runs on {directory} (process {server.pid}): stop it first")
    findings: list[Finding] = []
    with shown("Salvaging") as progress:
        salvaged = salvage_database(directory, out, findings.append if as_json else _tell, progress)
    if as_json:
        show({**asdict(salvaged), "losses": [asdict(finding) for finding in findings]})
    else:
        numbers = {
            "user": salvaged.users,
            "device": salvaged.devices,
            "stream": salvaged.streams,
            "point": salvaged.points,
        }
        what_there_is = ", ".join(counted(number, what) for what, number in numbers.items())
        lost = f"{salvaged.losses:,} losses are listed above" if salvaged.losses else "nothing was lost"
        click.echo(f"{what_there_is} are in {out}; {lost}.")
        if salvaged.users:
            click.echo("Create a database from them: connectordb import NEW " + as_typed(out))
    if salvaged.losses:
        sys.exit(1)


@click.command()
@folder
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@as_json
def backup(directory: Path, file: Path, as_json: bool) -> None:
    """
    Back up the database in DIR to FILE; the server may run.

    FILE must not exist. The backup is checked before it gets its name. It contains keys and password hashes, and only you can
    read it.
    """
    with shown("Backing up") as progress:
        write_backup(directory, file, progress)
    size = file.stat().st_size
    if as_json:
        show({"file": str(file), "bytes": size})
    else:
        click.echo(f"Backup written and checked: {file} ({size:,} bytes)")


@click.command()
@folder
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="If there is a database in DIR, rename it and keep it.")
def restore(directory: Path, file: Path, force: bool) -> None:
    """
    Restore the database in DIR from FILE, a backup.

    DIR must be empty or not exist, unless --force is given; no server may run on it.
    """
    with shown("Restoring") as progress:
        old = restore_backup(directory, file, keep_old=force, progress=progress)
    if old is not None:
        click.echo(f"The previous database, with its settings, is in {old}")
    click.echo(f"Restored and checked: {directory}")
    click.echo(f"Start it: connectordb start {as_typed(directory)}")
