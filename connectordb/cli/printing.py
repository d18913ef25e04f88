"""Printing for all commands: JSON, columns of text, and points in several formats; and the options to choose a format."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ..plain_text import plain, width
from ..point_files import csv_lines, line_of
from ..protocol import json_text
from ..protocol.points import Datapoint

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of one JSON object per line."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead."),
    click.option(
        "--parquet",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Write a Parquet file instead.",
    ),
)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def formats(command: Command) -> Command:
    """Give a command the options ``--csv``, ``--json`` and ``--parquet``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_formats(as_csv: bool, as_json: bool, parquet: Path | None = None) -> None:
    """Refuse more than one of these options."""
    if as_csv + as_json + (parquet is not None) > 1:
        raise click.UsageError("--csv, --json and --parquet exclude each other")


def show_points(found: Iterable[Datapoint], as_csv: bool = False, as_json: bool = False) -> None:
    """Print points as they come, in one of the formats."""
    _show(_array(found) if as_json else csv_lines(found) if as_csv else map(line_of, found))


def show_lines(found: Iterable[Datapoint], line: Callable[[Datapoint], bytes]) -> None:
    """Print a line for each point, as the points come."""
    _show(map(line, found))


def _array(found: Iterable[Datapoint]) -> Iterator[bytes]:
    before = b"["
    for point in found:
        yield before + json_text.dumps(point)
        before = b",\n"
    yield b"[]\n" if before == b"[" else b"]\n"


def _show(texts: Iterable[bytes]) -> None:
    """Print texts as they come, at a terminal each at once; those that came before an error are printed in any case."""
    out, at_once = sys.stdout.buffer, sys.stdout.isatty()
    try:
        for text in texts:
            out.write(text)
            if at_once:
                out.flush()
    finally:
        out.flush()


def show(value: Any) -> None:
    """Print JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def counted(number: int, what: str) -> str:
    """Return a number of things in words: ``1 point``, ``1,200 points``."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def show_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print rows with aligned columns; control characters in them do not reach the terminal."""
    rows = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo(
            "  ".join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)).rstrip()
        )
