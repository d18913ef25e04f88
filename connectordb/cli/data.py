"""Points of a stream: ``cat``, ``insert``, ``tail``."""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import click

from ..exceptions import AuthenticationError, ConnectorDBError, LocalProtocolError, PermissionDenied
from ..plain_text import plain
from ..point_files import line_of, points
from ..protocol import doubts, json_text
from ..protocol.points import Datapoint
from . import INTERRUPTED
from .completing import paths
from .connection import connect, profile, stream, with_remedy
from .printing import check_formats, counted, formats, show_lines, show_points
from .ranges import ranged
from .tree import parsed

#: Shown at a terminal if there is no value to insert.
_WAITING = """Type points, a line each, as 1767225600,21.5 or {"t": 1767225600, "d": 21.5}; Ctrl-D ends them."""

_downlink = click.option(
    "--downlink", is_flag=True, help="Read the stream's downlink: the values that others asked for."
)


@click.command()
@click.argument("path", metavar="STREAM", shell_complete=paths)
@ranged
@formats
@_downlink
@profile
def cat(
    path: str,
    as_csv: bool,
    as_json: bool,
    parquet: Path | None,
    downlink: bool,
    profile: str | None,
    **given: Any,
) -> None:
    """
    Print the points of STREAM, or a range of them.

    STREAM is a path, or the name of one of your own streams. Points are printed as they arrive, however many there are.
    """
    check_formats(as_csv, as_json, parquet)
    with connect(profile) as cdb:
        found = stream(cdb, path)
        if parquet is None:
            show_points(found.points(downlink=downlink, **given), as_csv, as_json)
        else:
            found.to_parquet(parquet, downlink=downlink, **given)


class _WithNumbers(click.Command):
    """A command with an argument that may be a negative number, which would otherwise look like an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words of the command line, with a negative number moved to the end, after ``--``."""
        pairs = zip(["", *args], args, strict=False)
        below = [word for before, word in pairs if word[:1] == "-" != before[:1] and type(parsed(word)) in (int, float)]
        if below and "--" not in args:
            args = [*(word for word in args if word not in below), "--", *below]
        return super().parse_args(ctx, args)


@click.command(cls=_WithNumbers)
@click.argument("path", metavar="STREAM", shell_complete=paths)
@click.argument("value", required=False)
@click.option(
    "--skip", type=click.IntRange(0), default=0, metavar="N", help="Skip the first N points, which are stored already."
)
@click.option(
    "--restamp", is_flag=True, help="Move up times that are older than the stream's newest, instead of refusing them."
)
@click.option(
    "--unit",
    type=click.Choice(["s", "ms", "us", "ns"]),
    default="s",
    help="The unit of times that are numbers: seconds by default.",
)
@profile
def insert(path: str, value: str | None, skip: int, restamp: bool, unit: str, profile: str | None) -> None:
    """
    Append VALUE or points to STREAM.

    VALUE is JSON, or otherwise text, and gets the current time. Without VALUE, points are read from standard input: JSON objects
    with "t", seconds since 1970, and "d", one per line or in an array; or CSV, with a time and a value in each line, or with
    column names in the first line, one of which is t. If the command fails, or is ended by Ctrl-C, it says how many points are
    stored, and which --skip continues from there.
    """
    if value is not None and (skip or restamp or unit != "s"):
        raise click.UsageError("--skip, --restamp and --unit are for points on standard input, not for a VALUE")
    with connect(profile) as cdb:
        found = stream(cdb, path)
        taken = _Counted(islice(_from_stdin(unit), skip, None))
        try:
            if value is not None:
                data = parsed(value)
                if doubt := doubts.of_value(data):
                    raise click.UsageError(f"VALUE has {doubt}")
                found.insert(data)
                return
            if sys.stdin.isatty():
                click.echo(_WAITING, err=True)
            with taken.until_interrupted():
                found._insert_points(taken, restamp, doubts.refuse_of_text)
        except PermissionDenied as error:
            owner = found.device
            raise click.ClickException(
                f"{error}; on the command line: connectordb login {owner.user.name} --device {owner.name}"
            ) from error
        except ConnectorDBError as error:
            if value is not None:
                raise
            rest = skip + getattr(error, "stored", 0)
            told = with_remedy(cdb, error) if isinstance(error, AuthenticationError) else str(error)
            told = re.sub(r"\bunit='(\w+)'", r"--unit \1", told.replace("restamp=True", "--restamp"))
            raise click.ClickException(f"{told}; to continue with the rest: --skip {rest}") from error
    left = f"; to continue with the rest: --skip {skip + taken.number}" if taken.is_cut_off else ""
    click.echo(f"{counted(taken.number, 'point')}{left}", err=True)
    if taken.is_cut_off:
        sys.exit(INTERRUPTED)


@click.command()
@click.argument("path", metavar="STREAM", shell_complete=paths)
@click.option(
    "-n", "number", type=click.IntRange(0), default=10, metavar="N", help="Start with the last N points (10)."
)
@click.option(
    "-f", "--follow", is_flag=True, help="Continue with new points, each once, whatever happens to the connection."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@_downlink
@profile
def tail(path: str, number: int, follow: bool, as_json: bool, downlink: bool, profile: str | None) -> None:
    """
    Print the last points of STREAM.

    With -f, new points are printed, too, until Ctrl-C.
    """
    line = line_of if as_json else _read_by_people
    with connect(profile) as cdb:
        found = stream(cdb, path)
        if not follow:
            show_lines(found.points(i1=-number, downlink=downlink) if number else (), line)
            return
        with found.watch(since=-number if number else None, downlink=downlink) as coming:
            for point in coming:
                show_lines((point,), line)


def _read_by_people(point: Datapoint) -> bytes:
    t = point.get("t", 0.0)
    try:
        at = datetime.fromtimestamp(t).isoformat(" ", "milliseconds")
    except (OverflowError, ValueError, OSError):  # in no calendar, such as milliseconds that were stored as seconds
        at = str(t)
    return f"{at}  {plain(json_text.dumps(point.get('d')).decode())}\n".encode()


def _from_stdin(unit: str) -> Iterator[Datapoint]:
    try:
        yield from points(sys.stdin.buffer, unit=unit)
    except ValueError as error:
        raise LocalProtocolError(f"standard input: {error}") from error


class _Counted:
    """Counts points as they are taken. Ctrl-C ends them as if there were no more, so that those that were taken are stored."""

    def __init__(self, found: Iterator[Datapoint]) -> None:
        self._found = found
        self._is_waiting = False
        self.number = 0
        self.is_cut_off = False

    def __iter__(self) -> Iterator[Datapoint]:
        """Yield the points, and count them."""
        while (point := self._next()) is not None:
            self.number += 1
            yield point

    def _next(self) -> Datapoint | None:
        try:
            try:
                # first, so that no Ctrl-C falls between the look and the wait, which it would not end
                self._is_waiting = True
                return None if self.is_cut_off else next(self._found, None)
            finally:
                self._is_waiting = False
        except KeyboardInterrupt:
            if not self.is_cut_off:
                raise
            return None

    @contextmanager
    def until_interrupted(self) -> Iterator[None]:
        """In the block, let Ctrl-C end the points, and a second Ctrl-C raise `KeyboardInterrupt` as usual."""
        if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
            yield
            return
        before = signal.signal(signal.SIGINT, self._end)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _end(self, number: int, frame: FrameType | None) -> None:
        is_second, self.is_cut_off = self.is_cut_off, True
        if is_second or self._is_waiting:
            raise KeyboardInterrupt
