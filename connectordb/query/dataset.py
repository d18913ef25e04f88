"""Several streams lined up, row by row: by the points of one of them, or by steps of time."""

from __future__ import annotations

import warnings
from typing import Any

from ..client import Device, Stream
from ..datapoints import DatapointArray
from ..exceptions import InvalidRange, LocalProtocolError
from ..protocol.ranges import range_fields
from ..protocol.times import Time
from ..runtime.clock import SYSTEM
from .merge import Merge
from .stream_query import check_script, run, stream_query

#: The smallest step, and the most rows, of a dataset by time that a server makes (``docs/topics/wire.rst``, "Datasets").
_SMALLEST_STEP, _MOST_ROWS = 0.001, 10_000_000

#: The column in which the reference's own values stand.
_REFERENCE = "x"


class Dataset:
    """
    A table: a row for each point of *x*, or, without *x*, for each step *dt* from *t1* on and before *t2*.

    Args:
        cdb: The connection, or any device: bare names are streams of its own.
        x: The reference: a `Stream`, a path, a name, or a `Merge`. Its values stand in the column ``x``.
        t1: Range of the reference, or first row; seconds, a datetime, a timedelta ago, or ISO text.
        t2: Its end.
        dt: Seconds between two rows, 0.001 at least; without *x* only.
        limit: So many points of the reference at most.
        i1: From this index of the reference on.
        i2: Before this one.
        transform: PipeScript that runs over the reference.
        posttransform: PipeScript that runs over the finished rows.

    Raises:
        InvalidRange: The range is none that a server would take.
    """

    def __init__(
        self,
        cdb: Device,
        x: Stream | Merge | str | None = None,
        t1: Time | None = None,
        t2: Time | None = None,
        dt: float | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        transform: str | None = None,
        posttransform: str | None = None,
    ) -> None:
        self.cdb = cdb
        self._columns: dict[str, dict[str, Any]] = {}
        own_range = {"t1": t1, "t2": t2, "limit": limit, "i1": i1, "i2": i2, "transform": transform}
        if x is None:
            self._base = _steps(t1, t2, dt, limit=limit, i1=i1, i2=i2, transform=transform)
        elif dt is not None:
            raise InvalidRange("dt with x: rows come either at the points of x, or at steps of time")
        elif isinstance(x, Merge):
            self._base = _merged(x, own_range)
        else:
            self._base = stream_query(cdb, x, t1=t1, t2=t2, limit=limit, i1=i1, i2=i2, transform=transform)
        check_script("posttransform", posttransform)
        if posttransform:
            self._base["posttransform"] = posttransform

    @property
    def query(self) -> dict[str, Any]:
        """What is sent."""
        return {**self._base, "dataset": self._columns}

    def addStream(
        self,
        stream: Stream | Merge | str,
        interpolator: str = "closest",
        t1: Time | None = None,
        t2: Time | None = None,
        dt: float | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        transform: str | None = None,
        colname: str | None = None,
        *,
        allownil: bool = False,
    ) -> None:
        """
        Add a column.

        Args:
            stream: A `Stream`, a path, a name of the device's own, or a `Merge`.
            interpolator: How a row finds its value: ``before``, ``after``, ``closest``, ``count``, ``sum``, ``mean``, or
                PipeScript.
            t1: The range that the column looks at; by default from ten points before the dataset's own.
            t2: Its end, inclusive.
            dt: Without meaning for a column; taken, with a warning, since 0.3.5 took it.
            limit: So many points at most.
            i1: From this index on.
            i2: Before this one.
            transform: PipeScript that runs over the range.
            colname: The column's name; by default as the stream was given, its path for a `Stream`.
            allownil: Whether *posttransform* sees rows in which this column has no value.

        Raises:
            LocalProtocolError: The name is taken or ``x``, a `Merge` has none, or there is no interpolator.
            InvalidRange: Times and indices are mixed.
        """
        if dt is not None:
            warnings.warn("dt has no meaning for a column of a Dataset; give it to the Dataset itself", stacklevel=2)
        name = colname or (stream.path if isinstance(stream, Stream) else stream)
        if not isinstance(name, str):
            raise LocalProtocolError("a Merge has no name of its own: give the column one, colname='…'")
        if name == _REFERENCE:
            raise LocalProtocolError(f"{name!r} is the column of the reference; call this one otherwise, colname='…'")
        if name in self._columns:
            raise LocalProtocolError(f"the dataset has a column {name!r} already; give this one another, colname='…'")
        if isinstance(stream, Merge):
            own_range = {"t1": t1, "t2": t2, "limit": limit, "i1": i1, "i2": i2, "transform": transform}
            column = _merged(stream, own_range)
        else:
            column = stream_query(self.cdb, stream, t1=t1, t2=t2, limit=limit, i1=i1, i2=i2, transform=transform)
        if not isinstance(interpolator, str) or not interpolator:
            raise LocalProtocolError(f"interpolator={interpolator!r}: expected 'closest', another name, or PipeScript")
        column["interpolator"] = interpolator
        if allownil:
            column["allownil"] = True
        self._columns[name] = column

    def run(self) -> DatapointArray:
        """
        Return the rows, as datapoints whose ``d`` is a dict of the columns; a row at time 0 may lack ``t``.

        Raises:
            LocalProtocolError: There is no column.
            ResponseError: The server refused a part of it.

        Calls: ``POST query/dataset``.
        """
        if not self._columns:
            raise LocalProtocolError("the dataset has no column: addStream comes first")
        return run(self.cdb, "dataset", self.query)


def _merged(merge: Merge, own_range: dict[str, Any]) -> dict[str, Any]:
    given = [name for name, value in own_range.items() if value is not None]
    if given:
        raise InvalidRange(f"{', '.join(given)} beside a Merge has no effect: give it to the Merge's own streams")
    return {"merge": list(merge.query)}


def _steps(t1: Time | None, t2: Time | None, dt: float | None, **without_meaning: Any) -> dict[str, Any]:
    given = [name for name, value in without_meaning.items() if value is not None]
    if given:
        raise InvalidRange(f"{', '.join(given)} without x: a dataset by steps of time takes t1, t2 and dt")
    if t1 is None or t2 is None or dt is None:
        raise InvalidRange("a dataset without x needs t1, t2 and dt: its rows are at t1, t1 + dt, … before t2")
    fields = range_fields(now=SYSTEM.wall(), t1=t1, t2=t2)
    step = range_fields(now=0, t1=dt)["t1"] if isinstance(dt, (int, float)) else None
    if step is None or step < _SMALLEST_STEP:
        raise InvalidRange(f"dt={dt!r}: it is a number of seconds, {_SMALLEST_STEP} or more")
    if fields["t1"] < 0 or fields["t2"] < fields["t1"] + step:
        raise InvalidRange(f"t1={t1!r}, t2={t2!r}: t1 is 0 or more, and t2 at least one dt later")
    if (fields["t2"] - fields["t1"]) / step > _MOST_ROWS:
        raise InvalidRange(f"t1={t1!r}, t2={t2!r}, dt={dt!r} are more than the {_MOST_ROWS:,} rows that a server makes")
    return {**fields, "dt": step}
