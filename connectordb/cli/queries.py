"""``merge`` and ``dataset``: several streams at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from ..query import Dataset, Merge
from .completing import paths
from .connection import connect, profile, stream
from .printing import check_formats, formats, show_points
from .ranges import ranged

#: A column on the command line; names and paths contain neither ``=`` nor ``:``.
_COLUMN = re.compile(r"(?:(?P<name>[^=:]+)=)?(?P<stream>[^=:]+)(?::(?P<interpolator>.+))?", re.DOTALL)


@click.command()
@click.argument("streams", metavar="STREAM...", nargs=-1, required=True, shell_complete=paths)
@ranged
@formats
@profile
def merge(
    streams: tuple[str, ...], as_csv: bool, as_json: bool, parquet: Path | None, profile: str | None, **given: Any
) -> None:
    """
    Print points of several STREAMs as one series.

    Points are in order of time. A STREAM is a path, or the name of one of your own streams. The range and the transform apply to
    each stream.
    """
    check_formats(as_csv, as_json, parquet)
    with connect(profile) as cdb:
        query = Merge(cdb)
        for path in streams:
            query.addStream(stream(cdb, path), **given)
        _show(query, as_csv, as_json, parquet)


@click.command()
@click.argument("columns", metavar="COLUMN...", nargs=-1, required=True, shell_complete=paths)
@click.option(
    "--x",
    metavar="STREAM",
    shell_complete=paths,
    help="Print a row for each point of this stream, with its values in the column x.",
)
@click.option("--dt", type=float, metavar="SECONDS", help="Print a row every SECONDS from --t1 on, before --t2.")
@ranged
@click.option("--posttransform", metavar="SCRIPT", help="PipeScript that the server runs over the rows.")
@formats
@profile
def dataset(
    columns: tuple[str, ...],
    x: str | None,
    as_csv: bool,
    as_json: bool,
    parquet: Path | None,
    profile: str | None,
    **given: Any,
) -> None:
    """
    Print several streams side by side, as columns.

    There is a row for each point of one stream, or for each step of time. A COLUMN is [NAME=]STREAM[:INTERPOLATOR]: a path, or the
    name of one of your own streams, and how a row finds its value: closest (the default), before, after, count, sum, mean, or a
    PipeScript. The range and the transform apply to --x.

    connectordb dataset --t1 2026-01-01 --t2 2026-02-01 --dt 3600 heat=mara/room/heat:mean lamp:before
    """
    check_formats(as_csv, as_json, parquet)
    with connect(profile) as cdb:
        query = Dataset(cdb, None if x is None else stream(cdb, x), **given)
        for column in columns:
            found = _COLUMN.fullmatch(column)
            if found is None:
                raise click.UsageError(f"{column!r} is not a column: expected [NAME=]STREAM[:INTERPOLATOR]")
            path, name = found["stream"], found["name"]
            query.addStream(stream(cdb, path), found["interpolator"] or "closest", colname=name or path)
        _show(query, as_csv, as_json, parquet)


def _show(query: Merge | Dataset, as_csv: bool, as_json: bool, parquet: Path | None) -> None:
    if parquet is None:
        # a row at time 0 lacks its time
        show_points(({"t": 0.0, **point} for point in query), as_csv, as_json)
    else:
        query.to_parquet(parquet)
