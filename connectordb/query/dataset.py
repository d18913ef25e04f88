"""`Dataset`: several streams as a table, with a row for each point of one of them, or for each step of time."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

from ..client import Device, Stream
from ..datapoints import DatapointArray
from ..exceptions import InvalidRange, LocalProtocolError
from ..protocol.points import Datapoint
from ..protocol.ranges import Range
from ..protocol.scripts import ScriptLike, script_text
from ..protocol.times import Time
from ..runtime.clock import SYSTEM
from .at_hand import AtHand
from .merge import Merge, merged
from .rows import REFERENCE, Column, rows
from .stream_query import Ask, Query, Remote, Source, Streamlike, check_zone, run, source

T = TypeVar("T")

#: The smallest step, and the most rows, of a dataset by steps of time that a server accepts (``docs/topics/wire.rst``, "Datasets").
_SMALLEST_STEP, _MOST_ROWS = 0.001, 10_000_000

#: Interpolators whose results have the unit of the stream's values.
_KEEPING_THE_UNIT = ("before", "after", "closest", "mean", "sum")


class Dataset(Query):
    """
    A table with a row for each point of a reference *x*; or, without *x*, for each step of *dt* from *t1* on and before *t2*.

    Usually a server computes it. If *x* or a column is a list of datapoints, it is computed here by the same rules: the points that
    a server holds are fetched first, with their ranges and transforms.

    Args:
        cdb: The connection, or any device, to which bare names of streams refer; `None` if all points are lists.
        x: The reference: a `Stream`, a path, a name, a list of datapoints, or a `Merge`. Its values are in the column ``x``.
        t1: The beginning of the reference's range, or the first row: seconds, a datetime, a timedelta ago, ISO text, or words such
            as ``"yesterday"``.
        t2: The end of the range.
        dt: The time between two rows, in seconds or as a ``timedelta``, at least 0.001; only without *x*.
        limit: At most this many points of the reference.
        i1: The first index of the reference.
        i2: The index after the last one.
        transform: PipeScript that runs over the reference: text, the result of ``pipe``, or a ``Script``.
        posttransform: PipeScript that runs over the finished rows.
        tz: If it is computed here, the name of the time zone for scripts that name none; by default this machine's.

    Raises:
        InvalidRange: A server would not accept the range.
    """

    def __init__(
        self,
        cdb: Device | None,
        x: Streamlike | Merge | None = None,
        t1: Time | None = None,
        t2: Time | None = None,
        dt: float | timedelta | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        transform: ScriptLike | None = None,
        posttransform: ScriptLike | None = None,
        *,
        tz: str = "",
    ) -> None:
        self.cdb = cdb
        self.tz = tz
        self._columns: dict[str, Column] = {}
        self._steps: dict[str, float] = {}
        self._reference: list[Source] = []
        self._merged = isinstance(x, Merge)
        own_range = {"t1": t1, "t2": t2, "limit": limit, "i1": i1, "i2": i2, "transform": transform}
        if x is None:
            self._steps = _steps(t1, t2, dt, limit=limit, i1=i1, i2=i2, transform=transform)
        elif dt is not None:
            raise InvalidRange("dt with x: rows come either at the points of x, or at steps of time")
        elif isinstance(x, Merge):
            self._reference = merged(x, own_range)
        else:
            self._reference = [source(cdb, x, t1=t1, t2=t2, limit=limit, i1=i1, i2=i2, transform=transform, tz=tz)]
        self._posttransform = script_text("posttransform", posttransform)

    @property
    def query(self) -> dict[str, Any]:
        """The query as it is sent. For lists of points, which are not sent, it has their length."""
        base: dict[str, Any] = dict(self._steps)
        if self._merged:
            base = {"merge": [each.shown for each in self._reference]}
        elif self._reference:
            base = self._reference[0].shown
        if self._posttransform:
            base = {**base, "posttransform": self._posttransform}
        return {**base, "dataset": {name: column.shown for name, column in self._columns.items()}}

    def addStream(
        self,
        stream: Streamlike | Merge,
        interpolator: ScriptLike = "closest",
        t1: Time | None = None,
        t2: Time | None = None,
        dt: float | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        transform: ScriptLike | None = None,
        colname: str | None = None,
        *,
        allownil: bool = False,
    ) -> None:
        """
        Add a column.

        Args:
            stream: A `Stream`, a path, a name of the device's own, a list of datapoints, or a `Merge`.
            interpolator: How a row finds its value: ``before``, ``after``, ``closest``, ``count``, ``sum``, ``mean``, or
                PipeScript. The result of ``pipe``, or a ``Script``, is always PipeScript, even if it reads like one of these names.
            t1: The beginning of the column's range; by default ten points before the dataset's own.
            t2: The end of the range, inclusive.
            dt: Has no meaning for a column; accepted with a warning, as 0.3.5 accepted it.
            limit: At most this many points.
            i1: The first index.
            i2: The index after the last one.
            transform: PipeScript that runs over the range.
            colname: The column's name; by default what was passed as *stream*, or the path of a `Stream`.
            allownil: Whether *posttransform* sees rows in which this column has no value.

        Raises:
            LocalProtocolError: The column's name is taken, or is ``x``; a `Merge` or list was passed without one; or *interpolator*
                is empty.
            InvalidRange: Times and indices are mixed.
            PipeScriptError: The transform of a list is not a valid script.
        """
        if dt is not None:
            warnings.warn("dt has no meaning for a column of a Dataset; give it to the Dataset itself", stacklevel=2)
        name = self._name(stream, colname)
        own_range = {"t1": t1, "t2": t2, "limit": limit, "i1": i1, "i2": i2, "transform": transform}
        if isinstance(stream, Merge):
            sources = merged(stream, own_range)
        else:
            sources = [
                source(self.cdb, stream, t1=t1, t2=t2, limit=limit, i1=i1, i2=i2, transform=transform, tz=self.tz)
            ]
        self._columns[name] = Column(sources, isinstance(stream, Merge), _interpolator(interpolator), allownil)

    def _name(self, stream: object, colname: str | None) -> str:
        name = colname or (stream.path if isinstance(stream, Stream) else stream)
        if isinstance(name, (Merge, list)):
            what = "a Merge has" if isinstance(name, Merge) else "datapoints have"
            raise LocalProtocolError(f"{what} no name of its own: give the column one, colname='…'")
        if not isinstance(name, str):
            raise LocalProtocolError(
                f"{name!r} is no stream: expected a Stream, 'user/device/stream', a name, a list of datapoints, or a Merge"
            )
        if name == REFERENCE:
            raise LocalProtocolError(f"{name!r} is the column of the reference; call this one otherwise, colname='…'")
        if name in self._columns:
            raise LocalProtocolError(f"the dataset has a column {name!r} already; give this one another, colname='…'")
        return name

    def run(self) -> DatapointArray:
        """
        Return the rows, as datapoints whose ``d`` is a dict of the columns; a row at time 0 may lack ``t``.

        Raises:
            LocalProtocolError: There is no column.
            ResponseError: The server refused a part of it.
            PipeScriptError: It is computed here, and a script is not valid, or fails.

        Calls: ``POST query/dataset``; with lists of points, ``POST query/merge`` for each stream on a server.
        """
        return DatapointArray(self._found(run, list))

    def _found(self, ask: Ask[T], own: Callable[[Iterable[Datapoint]], T]) -> T:
        if not self._columns:
            raise LocalProtocolError("the dataset has no column: addStream comes first")
        sources = [*self._reference, *(each for column in self._columns.values() for each in column.sources)]
        device = self.cdb or next((each.device for each in sources if isinstance(each, Remote)), None)
        if device is None or any(isinstance(each, AtHand) for each in sources):
            return own(rows(self._steps, self._reference, self._columns, self._posttransform, self.tz))
        check_zone(self.tz)
        return ask(device, "dataset", self.query)

    def _schema(self) -> dict[str, Any]:
        """As `Query._schema`, for the columns whose values have the unit of a stream."""
        if self._posttransform:
            return {}
        found = {
            name: column.sources for name, column in self._columns.items() if column.interpolator in _KEEPING_THE_UNIT
        }
        schemas = {
            name: sources[0].schema()
            for name, sources in {**found, REFERENCE: self._reference}.items()
            if len(sources) == 1 and isinstance(sources[0], Remote)
        }
        return {"properties": schemas}


def _interpolator(interpolator: ScriptLike) -> str:
    """Return an interpolator as text; a script that reads like a name is put in parentheses, so that it remains a script."""
    text = script_text("interpolator", interpolator)
    if not text:
        raise LocalProtocolError(f"interpolator={interpolator!r}: expected 'closest', another name, or PipeScript")
    if type(interpolator) is str:
        return text
    from ..pipescript import ScriptText  # loaded already, by whoever made the script

    is_name = isinstance(interpolator, str) and not isinstance(interpolator, ScriptText)
    return f"({text})" if text.strip().isidentifier() and not is_name else text


def _steps(t1: Time | None, t2: Time | None, dt: float | timedelta | None, **without_meaning: Any) -> dict[str, float]:
    """Return ``t1``, ``t2`` and ``dt`` of a dataset by steps of time; refuse other parts of a range, and what a server refuses."""
    given = [name for name, value in without_meaning.items() if value is not None]
    if given:
        raise InvalidRange(f"{', '.join(given)} without x: a dataset by steps of time takes t1, t2 and dt")
    if t1 is None or t2 is None or dt is None:
        raise InvalidRange("a dataset without x needs t1, t2 and dt: its rows are at t1, t1 + dt, … before t2")
    fields = Range(SYSTEM.wall(), t1, t2).fields
    dt = dt.total_seconds() if isinstance(dt, timedelta) else dt
    step = Range(0, dt).fields["t1"] if isinstance(dt, (int, float)) else None
    if step is None or step < _SMALLEST_STEP:
        raise InvalidRange(f"dt={dt!r}: it is a number of seconds, {_SMALLEST_STEP} or more")
    if fields["t1"] < 0 or fields["t2"] < fields["t1"] + step:
        raise InvalidRange(f"t1={t1!r}, t2={t2!r}: t1 is 0 or more, and t2 at least one dt later")
    if (fields["t2"] - fields["t1"]) / step > _MOST_ROWS:
        raise InvalidRange(f"t1={t1!r}, t2={t2!r}, dt={dt!r} are more than the {_MOST_ROWS:,} rows that a server makes")
    return {**fields, "dt": step}
