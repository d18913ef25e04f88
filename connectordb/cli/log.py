"""``log``: shows and manages a Logger's file, and logs lines from a pipe into it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..client import found_server
from ..exceptions import ConnectorDBError
from ..logger import Lines, Logger
from ..logger import check as check_file
from ..logger import vacuum as vacuum_file
from ..protocol import json_text
from . import INTERRUPTED
from .piping import Piping
from .printing import as_json, counted

of_stream = click.option("--stream", metavar="STREAM", help="Only the points of this stream.")


@click.group()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def log(context: click.Context, file: Path) -> None:
    """
    Inspect and manage the cache FILE of a Logger.

    All of these commands also work while a program logs to FILE.
    """
    context.obj = file


@contextmanager
def _opened(context: click.Context, **options: Any) -> Iterator[Logger]:
    file: Path = context.obj
    if not file.exists():
        raise click.ClickException(f"{str(file)!r}: there is no such file")
    with Logger(file, **options) as logger:
        yield logger


def _print(objects: Iterable[Any]) -> None:
    """Print one JSON object per line."""
    out = sys.stdout.buffer
    for each in objects:
        out.write(json_text.dumps(each) + b"\n")
    out.flush()


# --- what there is ------------------------------------------------------------------------------------------------------


@log.command()
@as_json
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Show what became of the points of each stream, how long points have been waiting, and why."""
    with _opened(context) as logger:
        found = logger.status()
    if as_json:
        _print([{**asdict(found), "streams": {name: asdict(stream) for name, stream in found.streams.items()}}])
    else:
        click.echo(str(found))


@log.command()
@as_json
@of_stream
@click.option("--retry", is_flag=True, help="Queue these points to be sent again.")
@click.option("--restamp", is_flag=True, help="With --retry: give points that are too old the earliest times allowed.")
@click.option("--drop", is_flag=True, help="Drop these points for good.")
@click.argument("ids", metavar="[ID]...", nargs=-1, type=int)
@click.pass_context
def rejected(
    context: click.Context,
    as_json: bool,
    stream: str | None,
    retry: bool,
    restamp: bool,
    drop: bool,
    ids: tuple[int, ...],
) -> None:
    """
    List the points that were set aside, with the reason; or send them again, or drop them.

    Applies to all of them, to those with the given IDs, or to those of one stream.
    """
    if (retry and drop) or (restamp and not retry) or (ids and stream is not None):
        raise click.UsageError("give --retry or --drop, --restamp only with --retry, and IDs or --stream")
    with _opened(context) as logger:
        if retry or drop:
            given = list(ids) or None
            count = (
                logger.retry_rejected(given, stream=stream, restamp=restamp)
                if retry
                else logger.drop_rejected(given, stream=stream)
            )
            if as_json:
                _print([{"retried" if retry else "dropped": count}])
            else:
                click.echo(
                    f"{counted(count, 'point')} {_verb(count)} again" if retry else f"{counted(count, 'point')} dropped"
                )
            return
        found = [point for point in logger.rejected(stream) if not ids or point["id"] in ids]
    if as_json:
        _print(found)
        return
    for point in found:
        value = json_text.dumps(point["d"]).decode()
        click.echo(f"{point['id']}  {point['stream']}  {point['t']!r}  {value:.80}  {point['reason']}")


@log.command()
@as_json
@of_stream
@click.pass_context
def set_aside_unsettled(context: click.Context, as_json: bool, stream: str | None) -> None:
    """
    Set aside points that may have arrived at a server that is gone for good.

    Otherwise their stream waits until that server can be asked. Afterwards "rejected" shows them; "rejected --retry" sends them
    again, and they may then be stored twice.
    """
    with _opened(context) as logger:
        count = logger.set_aside_unsettled(stream)
    if as_json:
        _print([{"aside": count}])
    else:
        click.echo(f"{counted(count, 'point')} set aside")


@log.command()
@of_stream
@click.pass_context
def export(context: click.Context, stream: str | None) -> None:
    """
    Print waiting points and points that were set aside, one JSON object per line.

    Each has "stream", "t" and "d"; points that were set aside also have "reason". Nothing is changed.
    """
    with _opened(context) as logger:
        _print(logger.waiting(stream))
        _print(
            {name: point[name] for name in ("stream", "t", "d", "reason", "at")} for point in logger.rejected(stream)
        )


# --- what is done -------------------------------------------------------------------------------------------------------


@log.command()
@as_json
@click.pass_context
def sync(context: click.Context, as_json: bool) -> None:
    """
    Send waiting points now.

    The exit status is 1 if some still wait afterwards.
    """
    with _opened(context, syncraise=True) as logger:
        before = logger.status()
        error: ConnectorDBError | None = None
        try:
            logger.sync()
        except ConnectorDBError as raised:
            error = raised
        after = logger.status()
    figures = {
        "sent": after.confirmed - before.confirmed,
        "aside": after.aside - before.aside,
        "waiting": after.waiting,
    }
    if as_json:
        _print([{**figures, "error": None if error is None else str(error)}])
    else:
        click.echo(
            f"{counted(figures['sent'], 'point')} sent, {figures['aside']} set aside; {figures['waiting']} {_verb(figures['waiting'])}"
        )
    if error is not None:
        raise click.ClickException(str(error))
    if after.waiting:
        reasons = {stream.error for stream in after.streams.values() if stream.waiting and stream.error}
        raise click.ClickException("; ".join(sorted(reasons)) or "points were logged in the meantime, or are held back")


@log.command()
@as_json
@click.pass_context
def check(context: click.Context, as_json: bool) -> None:
    """
    Check all of FILE and report what is wrong; nothing is changed.

    A damaged file is mended when a program next opens it. The exit status is 1 if something is wrong.
    """
    found = check_file(context.obj)
    if as_json:
        _print([{"wrong": found}])
    else:
        for fault in found:
            click.echo(fault)
        if not found:
            click.echo(f"{context.obj}: nothing is wrong.")
    if found:
        sys.exit(1)


@log.command()
@click.option(
    "--anyway",
    is_flag=True,
    help="Do it even if FILE is large and in use: programs that insert may have to wait too long, and fail.",
)
@as_json
@click.pass_context
def vacuum(context: click.Context, anyway: bool, as_json: bool) -> None:
    """Return the space that FILE no longer needs."""
    if not context.obj.exists():
        raise click.ClickException(f"{str(context.obj)!r}: there is no such file")
    before, after = vacuum_file(context.obj, anyway=anyway)
    if as_json:
        _print([{"before": before, "after": after}])
    else:
        click.echo(f"{before:,} bytes before, {after:,} now")


# --- lines --------------------------------------------------------------------------------------------------------------


@log.command()
@click.argument("stream")
@click.option("--text", is_flag=True, help="Take each line as text, whatever it contains.")
@click.option(
    "--points", is_flag=True, help='Each line is a datapoint: {"t": seconds since 1970 or ISO 8601, "d": value}.'
)
@click.option("--time-field", metavar="NAME", help="Each line is an object, and this field of it is its time.")
@click.option("--strict", is_flag=True, help="Stop at the first line that cannot be logged.")
@click.option(
    "--add",
    is_flag=True,
    help="If FILE has no such STREAM, add it, for any values; if there is no FILE, create it.",
)
@click.option(
    "--sync", "syncing", is_flag=True, help="Send points to the server in the meantime, and once more at the end."
)
@as_json
@click.pass_context
def insert(
    context: click.Context,
    stream: str,
    text: bool,
    points: bool,
    time_field: str | None,
    strict: bool,
    add: bool,
    syncing: bool,
    as_json: bool,
) -> None:
    """
    Log lines from standard input to STREAM.

    Each line is a JSON value, for example a number. It gets the time at which it was read. All lines that were read are on the disk
    before the command waits for more; lines that come fast share a flush.

    A new FILE gets the server and the key that connectordb whoami shows: those of CONNECTORDB_URL and CONNECTORDB_APIKEY, or of
    connectordb login.

    A line that cannot be logged is reported on standard error, with its number, and the next lines are logged; the exit status is
    then 1. Ctrl-C ends the command after the current line.
    """
    if text + points + (time_field is not None) > 1:
        raise click.UsageError("--text, --points and --time-field exclude each other")
    if not add and not context.obj.exists():
        raise click.ClickException(f"{str(context.obj)!r}: there is no such file; --add makes one")
    with Logger(context.obj, on_create=_log_in if add else None, durability="normal") as logger:
        if add and stream not in logger:
            logger.addStream_force(stream)
        lines = Lines(logger, stream, "text" if text else "point" if points else "value", time_field)
        if syncing:
            logger.start()
        reading = Piping(lines, strict)
        interrupted = reading.run(sys.stdin.buffer)
        if syncing and not interrupted:
            logger.stop()
            logger.sync()
    if as_json:
        _print([{"logged": lines.taken, "refused": reading.refused}])
    else:
        click.echo(
            f"{counted(lines.taken, 'point')} logged" + (f", {reading.refused} refused" if reading.refused else ""),
            err=True,
        )
    if interrupted or reading.refused:
        sys.exit(INTERRUPTED if interrupted else 1)


def _log_in(logger: Logger) -> None:
    """Give a new file the server and the key that ``ConnectorDB()`` would use."""
    logger.serverurl, logger.apikey = found_server()


def _verb(count: int) -> str:
    return "wait" if count != 1 else "waits"
