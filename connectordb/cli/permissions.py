"""``permissions``: prints the file that says who may do what, and checks such a file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..runtime.durable import write
from ..server import default_permissions, load_permissions

_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--check", "checked", metavar="FILE", type=_FILE, help="Report what is wrong in FILE, if anything.")
@click.argument("target", metavar="[FILE]", required=False, type=_FILE)
def permissions(checked: Path | None, target: Path | None) -> None:
    """
    Print the default permissions, or check yours.

    The output is a file with comments, from which to start your own; FILE is where to write it.
    """
    if checked is not None:
        if target is not None:
            raise click.UsageError("--check FILE takes no other file")
        found = load_permissions(checked)
        click.echo(
            f"Nothing is wrong in {checked}: {len(found.user_roles)} user roles, {len(found.device_roles)} device roles."
        )
    elif target is None:
        click.echo(default_permissions(), nl=False)
    else:
        if os.path.lexists(target):  # it may be one that somebody has changed
            raise click.ClickException(f"writing '{target}': it exists already; give another name")
        write(target, default_permissions().encode())
        click.echo(f"The default permissions are in {target}; name it in connectordb.toml, [permissions] file.")
