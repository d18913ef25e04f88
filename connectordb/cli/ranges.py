"""The options that say which points of a stream are meant, and what is made of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..protocol.times import Time

Command = TypeVar("Command", bound=Callable[..., Any])

#: What is a year or a day to whoever types it, and not a second of the year 1970.
_DATE = re.compile(r"(19|20)\d\d((0[1-9]|1[0-2])\d\d)?")


def _moment(context: click.Context, option: click.Parameter, text: str | None) -> Time | None:
    """Return a time as it was typed; what is no number is left to whoever reads times that are text, and so is 20260101."""
    if text is None or _DATE.fullmatch(text):
        return text
    try:
        return float(text)
    except ValueError:
        return text


_OPTIONS = (
    click.option(
        "--t1",
        metavar="TIME",
        callback=_moment,
        help="After this time: '2 hours ago', 'monday 8:00', ISO 8601 text, or seconds since 1970.",
    ),
    click.option("--t2", metavar="TIME", callback=_moment, help="Up to this time."),
    click.option("--i1", type=int, help="From this index on; negative ones count from the end."),
    click.option("--i2", type=int, help="Before this index."),
    click.option("--limit", type=int, help="So many points at most."),
    click.option("--transform", metavar="SCRIPT", help="PipeScript that the server runs over the range."),
)


def ranged(command: Command) -> Command:
    """Give a command the options of a range, and ``--transform``, with the names of the arguments of reads."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
