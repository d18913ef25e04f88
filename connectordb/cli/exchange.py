"""A whole server to a folder and back: ``export``, ``import``, with the original's names and files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ..server import Exported, Imported, export_database, import_database
from .database import as_typed, folder
from .printing import as_json, show
from .progress import shown


@click.command()
@folder
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@as_json
def export(directory: Path, out: Path, as_json: bool) -> None:
    """
    Write the database in DIR to OUT, a folder of JSON files.

    That is all users, devices, streams and points; the server may run. OUT must not exist, unless it is what an export that was stopped has left: then it is written anew. It shows the database
    at one moment, holds API keys and passwords' hashes, and is readable by you alone. A ConnectorDB 0.3 server reads it too.
    """
    with shown("Exporting") as progress:
        done = export_database(directory, out, progress)
    for path in done.gone:
        click.echo(f"{path} was deleted meanwhile, and is left out.", err=True)
    if as_json:
        show(asdict(done))
    else:
        click.echo(f"{_counted(done)}: {out}")


@click.command("import")
@folder
@click.argument("source", metavar="EXPORT", type=click.Path(path_type=Path))
@click.option("--only", metavar="NAME", multiple=True, help="Import this user only. May be given several times.")
@click.option(
    "--locked",
    is_flag=True,
    help="Users of an export without passwords get none; else their password is their name. API keys work anyhow.",
)
@as_json
def import_(directory: Path, source: Path, only: tuple[str, ...], locked: bool, as_json: bool) -> None:
    """
    Bring EXPORT into the database in DIR.

    EXPORT is a folder that connectordb export, of this or of a 0.3 server, or a client wrote. If DIR does not exist, a database is made
    of EXPORT alone. No server may run on DIR. What cannot go in is told before anything is written. If it is stopped in the middle, run
    it again: it goes on where it was.
    """
    with shown("Importing") as progress:
        done = import_database(directory, source, only=only, locked=locked, progress=progress)
    for warning in done.warnings:
        click.echo(f"Note: {warning}.", err=True)
    if as_json:
        show(asdict(done))
        return
    present = f" ({done.present:,} points were there already)" if done.present else ""
    new = done.users or done.devices or done.streams or done.points
    click.echo(
        f"{_counted(done)}{present}."
        if new
        else f"Nothing new: all users, devices and streams, and {done.present:,} points were there already."
    )
    click.echo(f"Start it: connectordb start {as_typed(directory)}")


def _counted(done: Exported | Imported) -> str:
    numbers = {"user": done.users, "device": done.devices, "stream": done.streams, "point": done.points}
    return ", ".join(f"{number:,} {what}{'s' * (number != 1)}" for what, number in numbers.items())
