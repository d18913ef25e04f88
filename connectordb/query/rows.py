"""The rows of a dataset that is computed here, by the rules of a server (``docs/topics/wire.rst``, "Datasets")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..protocol.points import Datapoint, as_answered
from .stream_query import Source

if TYPE_CHECKING:
    from ..pipescript import Script

#: The column that holds the reference's own values.
REFERENCE = "x"


@dataclass(frozen=True, slots=True)
class Column:
    """
    A column of a dataset.

    Attributes:
        sources: Its streams.
        merged: Whether they were passed as a `Merge`.
        interpolator: How a row finds its value.
        allownil: Whether the posttransform sees rows in which it has no value.
    """

    sources: Sequence[Source]
    merged: bool
    interpolator: str
    allownil: bool

    @property
    def shown(self) -> dict[str, Any]:
        """The column as it is sent in a query."""
        shown = [each.shown for each in self.sources]
        column: dict[str, Any] = {"merge": shown} if self.merged else dict(shown[0])
        column["interpolator"] = self.interpolator
        return {**column, "allownil": True} if self.allownil else column


def rows(
    steps: Mapping[str, float],
    reference: Sequence[Source],
    columns: Mapping[str, Column],
    posttransform: str,
    tz: str,
) -> Iterator[Datapoint]:
    """
    Return the rows of a dataset.

    Args:
        steps: ``t1``, ``t2`` and ``dt``, if there is a row for each step of time; otherwise empty.
        reference: The streams of the reference otherwise.
        columns: The columns by name.
        posttransform: A script for the finished rows, or ``""``.
        tz: The time zone for scripts that name none.

    Raises:
        PipeScriptError: A script is not valid, or fails.
        ResponseError: A server refused to return points.
    """
    from ..pipescript import (  # few programs need the language
        INTERPOLATORS,
        Script,
        merge,
        tdataset,
        xdataset,
    )

    after = Script(posttransform, tz=tz) if posttransform else None
    asked: dict[str, str | Script] = {
        name: column.interpolator if column.interpolator in INTERPOLATORS else Script(column.interpolator, tz=tz)
        for name, column in columns.items()
    }
    since = steps["t1"] if steps else _begin(reference)
    made = {
        name: (merge(*(each.read(since) for each in column.sources)), asked[name]) for name, column in columns.items()
    }
    if steps:
        found = tdataset(steps["t1"], steps["t2"], steps["dt"], made)
    else:
        found = xdataset(merge(*(each.read() for each in reference)), made, REFERENCE)
    if after is not None:
        found = after(_complete(found, [name for name, column in columns.items() if not column.allownil]))
    return map(as_answered, found)


def _begin(reference: Sequence[Source]) -> float:
    """Return the time at which a reference begins; 0 if it has no range of times."""
    return float(reference[0].shown.get("t1", 0.0)) if len(reference) == 1 else 0.0


def _complete(found: Iterable[Datapoint], needed: Sequence[str]) -> Iterator[Datapoint]:
    """Yield the rows that have a value in all columns that are *needed*."""
    return (row for row in found if all(row["d"][name] is not None for name in needed))
