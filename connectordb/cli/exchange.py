"""``export`` and ``import``: a whole database to a folder and back, with the names and files of the original."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ..server import Exported, Imported, export_database, import_database
from .database import as_typed, folder
from .printing import as_json, counted, show
from .progress import shown


@click.command()
@folder
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@as_json
def export(directory: Path, out: Path, as_json: bool) -> None:
    """
    Export the database in DIR to OUT, a folder of JSON files.

    The export contains all users, devices, streams and points, as they were at one moment; the server may run. OUT must not
    exist, unless an interrupted export left it: then it is written anew. It contains API keys and password hashes, and only you
    can read it. A ConnectorDB 0.3 server can import it, too.
    """
    with shown("Exporting") as progress:
        done = export_database(directory, out, progress)
    for path in done.gone:
        click.echo(f"{path} was deleted in the meantime, and is left out.", err=True)
    if as_json:
        show(asdict(done))
    else:
        click.echo(f"{_counted(done)}: {out}")


@click.command("import")
@folder
@click.argument("source", metavar="EXPORT", type=click.Path(path_type=Path))
@click.option("--only", metavar="NAME", multiple=True, help="Import only this user. Can be given several times.")
@click.option(
    "--locked",
    is_flag=True,
    help="Give no passwords to users of an export without passwords, instead of their names. API keys work either way.",
)
@as_json
def import_(directory: Path, source: Path, only: tuple[str, ...], locked: bool, as_json: bool) -> None:
    """
    Import EXPORT into the database in DIR.

    EXPORT is a folder written by connectordb export, here or on a 0.3 server, or by a client. If DIR does not exist, a database
    is created from EXPORT alone. No server may run on DIR. What cannot be imported is reported before anything is written. If
    the import is interrupted, run it again: it continues where it was.
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
    return ", ".join(counted(number, what) for what, number in numbers.items())
