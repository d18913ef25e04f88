"""``plot``: streams as a picture, in the terminal or in a file."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import click

from ..client import Stream
from ..pictures import Series, of_points, png
from .completing import paths
from .connection import connect, profile, stream
from .ranges import ranged
from .terminal_chart import chart


@click.command()
@click.argument("streams", metavar="STREAM...", nargs=-1, required=True, shell_complete=paths)
@ranged
@click.option("--downlink", is_flag=True, help="Plot the streams' downlinks.")
@click.option(
    "--png", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a picture instead."
)
@click.option("--dark", is_flag=True, help="Use colours for a dark background.")
@profile
def plot(
    streams: tuple[str, ...], downlink: bool, file: Path | None, dark: bool, profile: str | None, **given: Any
) -> None:
    """
    Plot STREAMs in the terminal, or to a picture.

    A STREAM is a path, or the name of one of your own streams. Numbers are drawn as lines, booleans and texts as rows of blocks.
    Numbers with the same unit share an axis. Times are local. There are no colours in a pipe, or if NO_COLOR is set. --png needs
    the extra "plot", and writes what plot() in Python draws.
    """
    if dark and file is None:
        raise click.UsageError("--dark is for --png: a terminal has its own background")
    with connect(profile) as cdb:
        found = [stream(cdb, path) for path in streams]
        series = [each for one in found for each in _series(one, downlink, given)]
        title = "" if len(found) > 1 else _label(found[0], downlink)
    if file is not None:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("ignore")
            warnings.filterwarnings("always", "Glyph")
            file.write_bytes(png(series, title, dark=dark))
        if told:
            click.echo(
                "Some characters appear as boxes in the picture: matplotlib's font (font.family) lacks them.",
                err=True,
            )
        return
    colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    click.echo(chart(series, shutil.get_terminal_size().columns, colored, title), nl=False, color=colored)


def _series(found: Stream, downlink: bool, given: dict[str, Any]) -> list[Series]:
    """Return what is drawn for a stream; of its points only times and values are kept, which takes little memory."""
    schema = None if given["transform"] else found.schema
    return of_points(found.points(**given, downlink=downlink), _label(found, downlink), schema)


def _label(found: Stream, downlink: bool) -> str:
    return found._label(found._sequence(downlink))
