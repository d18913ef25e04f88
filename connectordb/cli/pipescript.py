"""``pipescript``: runs a script over points from a pipe or files, and explains the language."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from ..exceptions import LocalProtocolError, PipeScriptError
from ..pipescript import Script
from ..point_files import points
from ..protocol.points import Datapoint, as_answered
from .printing import check_formats, show, show_points
from .script_help import explained, known, listed


class _NoScript(click.ClickException):
    """The script itself is not valid: an error in an argument, with the exit status of those."""

    exit_code = 2


@click.command()
@click.argument("script", required=False)
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of one JSON object per line.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON array instead; with --list and --explain an object."
)
@click.option(
    "--tz",
    default="",
    metavar="ZONE",
    help="The time zone of dates and hours, such as Europe/Berlin; by default this machine's.",
)
@click.option("--list", "list_all", is_flag=True, help="List all transforms and interpolators.")
@click.option("--explain", metavar="NAME", help="Explain a transform or an interpolator.")
def pipescript(
    script: str | None,
    files: tuple[Path, ...],
    as_csv: bool,
    as_json: bool,
    tz: str,
    list_all: bool,
    explain: str | None,
) -> None:
    """
    Run SCRIPT on points from FILEs or standard input.

    Files are read one after the other, and results are printed as they come. Points are JSON objects with "t", seconds since 1970,
    and "d", one per line or in an array; or CSV, with a time and a value in each line, or with column names in the first line, one
    of which is t.

    The exit status is 2 if SCRIPT is invalid, and 1 if it fails on a point, or if the input contains anything but points.
    """
    if list_all or explain is not None:
        if script is not None or (list_all and explain is not None):
            raise click.UsageError("--list and --explain NAME go without a script, and without each other")
        if as_json:
            show(known(explain))
        else:
            click.echo(listed() if explain is None else explained(explain))
        return
    check_formats(as_csv, as_json)
    if script is None:
        raise click.UsageError("a script is missing: connectordb pipescript 'if $ > 20 | mean' points.jsonl")
    try:
        compiled = Script(script, tz=tz)
    except PipeScriptError as error:
        raise _NoScript(str(error)) from error
    show_points(map(as_answered, compiled(_all(files))), as_csv, as_json)


def _all(files: tuple[Path, ...]) -> Iterator[Datapoint]:
    if not files:
        yield from _named("standard input", sys.stdin.buffer)
    for path in files:
        with path.open("rb") as file:
            yield from _named(str(path), file)


def _named(name: str, file: BinaryIO) -> Iterator[Datapoint]:
    try:
        # flush, so that results are seen before this waits for more input
        yield from points(file, sys.stdout.buffer.flush)
    except ValueError as error:
        raise LocalProtocolError(f"{name}: {error}") from error
