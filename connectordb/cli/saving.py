"""``save`` and ``load``: bring a user, a device or a stream to a folder, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import click

from ..client import Device, Loaded, Saved, User
from ..client import load as load_folder
from ..client import save as save_folder
from ..exceptions import ConnectionFailed, ServerError
from ..protocol import json_text
from .completing import paths, places
from .connection import connect, profile, thing
from .printing import as_json, counted, show
from .progress import shown

#: The counts that are shown.
_COUNTED = ("users", "devices", "streams", "points")


@click.command()
@click.argument("path", shell_complete=paths)
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@as_json
@profile
def save(path: str, directory: Path, as_json: bool, profile: str | None) -> None:
    """
    Save a user, a device or a stream to a folder.

    PATH is user/, user/device or user/device/stream, or the name of a stream of your own. Everything below it is saved, too.
    DIRECTORY is a new folder; users can also be added to a folder with other users. Points are read back from the disk. The folder
    contains API keys, and only you can read it. If the command is interrupted, run it again: it continues where it was. "load"
    restores the folder, and so does "import" into a server's own folder.
    """
    with connect(profile) as cdb, _can_be_continued(), shown("Saving") as progress:
        saved = save_folder(thing(cdb, path), directory, progress)
    if as_json:
        show({**asdict(saved), "directory": str(directory)})
        return
    kept = f", {saved.kept:,} of them from before" if saved.kept else ""
    click.echo(f"{_counted(saved)}{kept}: {directory}")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("below", metavar="[PATH]", required=False, shell_complete=places)
@click.option(
    "--passwords",
    metavar="FILE",
    type=click.File("rb"),
    help='Passwords of users, {"name": "password"}; - is standard input. By default, passwords are the names.',
)
@as_json
@profile
def load(directory: Path, below: str | None, passwords: BinaryIO | None, as_json: bool, profile: str | None) -> None:
    """
    Load what was saved to a folder.

    DIRECTORY contains users, a device or a stream, from "save" or from a server's "export". A device is loaded below PATH, a user
    (such as mara/), and a stream below PATH, a device; by default below your own. What exists already is skipped; if anything there
    is different, nothing is changed. All points are read back. If the command is interrupted, run it again: it continues where it
    was.
    """
    given = None if passwords is None else _passwords(passwords.read())
    with connect(profile) as cdb, _can_be_continued(), shown("Loading") as progress:
        place = None if below is None else thing(cdb, below)
        if place is not None and not isinstance(place, (User, Device)):
            raise click.UsageError(f"{below!r} is a stream, and nothing goes below it")
        loaded = load_folder(cdb, directory, place, passwords=given, progress=progress)
    for note in loaded.notes:
        click.echo(f"Note: {note}.", err=True)
    if as_json:
        show(asdict(loaded))
        return
    there = f"; {loaded.present:,} points were there already" if loaded.present else ""
    click.echo(f"{_counted(loaded) or 'Nothing new'}{there}.")


def _passwords(text: bytes) -> Mapping[str, str]:
    try:
        found = json_text.loads(text)
    except ValueError as error:
        raise click.UsageError(f"--passwords: no JSON: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise click.UsageError('--passwords: expected an object, {"name": "password"}')
    return found


@contextmanager
def _can_be_continued() -> Iterator[None]:
    """If the block is interrupted, say that the command can be run again to continue."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        click.echo("Interrupted; run it again, and it continues where it was.", err=True)
        raise
    except (ConnectionFailed, ServerError) as error:
        raise click.ClickException(f"{error}; run it again, and it continues where it was") from error


def _counted(done: Saved | Loaded) -> str:
    numbers = {name.removesuffix("s"): number for name, number in asdict(done).items() if name in _COUNTED}
    return ", ".join(counted(number, name) for name, number in numbers.items() if number)
