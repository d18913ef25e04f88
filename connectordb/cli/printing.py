"""What commands print: JSON, columns of text, points in one of their formats; and the options by which somebody chooses."""

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
    """Refuse two of them at once."""
    if as_csv + as_json + (parquet is not None) > 1:
        raise click.UsageError("--csv, --json and --parquet exclude each other")


def show_points(found: Iterable[Datapoint], as_csv: bool = False, as_json: bool = False) -> None:
    """Print points as they come, in one of the formats."""
    _show(_array(found) if as_json else csv_lines(found) if as_csv else map(line_of, found))


def show_lines(found: Iterable[Datapoint], line: Callable[[Datapoint], bytes]) -> None:
    """Print what *line* makes of each point, as they come."""
    _show(map(line, found))


def _array(found: Iterable[Datapoint]) -> Iterator[bytes]:
    before = b"["
    for point in found:
        yield before + json_text.dumps(point)
        before = b",\n"
    yield b"[]\n" if before == b"[" else b"]\n"


def _show(texts: Iterable[bytes]) -> None:
    """Print what comes, at a terminal at once; what came before a failure is there."""
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


def show_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print rows, their columns below each other; what others have named cannot write to the terminal."""
    rows = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo(
            "  ".join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)).rstrip()
        )
