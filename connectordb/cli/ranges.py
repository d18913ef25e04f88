"""The options for a range of points and a transform, shared by the commands that read points."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast

import click

from ..protocol.times import LATE, Time, to_seconds
from ..runtime.clock import SYSTEM

Command = TypeVar("Command", bound=Callable[..., Any])

#: What people mean as a year or a day, and not as a second of the year 1970.
_DATE = re.compile(r"(19|20)\d\d((0[1-9]|1[0-2])\d\d)?")


def _moment(context: click.Context, option: click.Parameter, text: str | None) -> Time | None:
    """Return a time as a number if it is one; otherwise, and for a date such as 20260101, as the text, which is read later."""
    if text is None or _DATE.fullmatch(text):
        return text
    try:
        t = float(text)
    except ValueError:
        return text
    if t >= LATE:
        from ..protocol import doubts  # few ranges have one

        raise click.BadParameter(doubts.of_bound(str(option.name), t))
    return t


_OPTIONS = (
    click.option(
        "--t1",
        metavar="TIME",
        callback=_moment,
        help="After this time: '2 hours ago', 'monday 8:00', ISO 8601 text, or seconds since 1970.",
    ),
    click.option("--t2", metavar="TIME", callback=_moment, help="Up to this time."),
    click.option("--i1", type=int, help="From this index on; negative numbers count from the end."),
    click.option("--i2", type=int, help="Before this index."),
    click.option("--limit", type=int, help="At most this many points."),
    click.option("--transform", metavar="SCRIPT", help="PipeScript that the server runs over the range."),
)


def ranged(command: Command) -> Command:
    """
    Give a command the options of a range, and ``--transform``, named like the arguments of reads.

    Afterwards it says so if the range is empty because it ends before it begins.
    """

    @wraps(command)
    def with_range(**given: Any) -> None:
        command(**given)
        if told := _backwards(**{name: given[name] for name in ("t1", "t2", "i1", "i2")}):
            click.echo(told, err=True)

    for option in reversed(_OPTIONS):
        with_range = option(with_range)
    return cast(Command, with_range)


def _backwards(t1: Time | None, t2: Time | None, i1: int | None, i2: int | None) -> str:
    """Return a note if a range ends before it begins, whatever the stream holds; otherwise an empty text."""
    if t1 is not None and t2 is not None:
        first, last = (to_seconds(t, SYSTEM.wall()) for t in (t1, t2))
        if first >= last:
            return f"Nothing is after --t1 {_local(first)} and up to --t2 {_local(last)}."
    if i1 is not None and i2 and (i1 < 0) == (i2 < 0) and i1 >= i2:
        return f"Nothing is from --i1 {i1} on and before --i2 {i2}."
    return ""


def _local(t: float) -> str:
    try:
        return datetime.fromtimestamp(t).isoformat(" ")
    except (OverflowError, ValueError, OSError):  # in no calendar
        return str(t)
