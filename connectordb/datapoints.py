"""
`DatapointArray`: a list of datapoints, with what one does to them.

A datapoint is a dict: ``t``, seconds since 1970; ``d``, any JSON value; ``o``, the device that wrote it where that is not
the stream's own. Nothing here knows a server.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from .exceptions import LocalProtocolError
from .protocol import exports, json_text
from .protocol.points import Datapoint, as_answered, checked_times
from .protocol.scripts import ScriptLike, script_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from rich.console import Group

    from .display import Sheet
    from .frames import Columns, Piece

#: `repr` shows this many points at either end.
_SHOWN = 3


def _time(point: Datapoint) -> float:
    """Return a point's time; a dataset's row at 0 has none."""
    time: float = point.get("t", 0.0)
    return time


class AsColumns:
    """Points, which can be had as arrays, frames and tables; the extra ``frames`` is for that."""

    if TYPE_CHECKING:

        def __iter__(self) -> Iterator[Datapoint]: ...

    def _pieces(self) -> Iterator[Piece]:
        """Return the points as columns, some at a time."""
        from .frames import pieces_of

        return pieces_of(self)

    def _as_columns(self) -> Columns:
        from .frames import Columns

        return Columns.join(self._pieces())

    def to_numpy(self) -> NDArray[Any]:
        """
        Return a structured array: ``array["t"]`` are seconds since 1970, ``array["d"]`` the values.

        What array holds which values, and what becomes of nulls, stands at `connectordb.frames.Columns`; where all values are
        objects, as the rows of a dataset are, ``array["d"]["name"]`` is a column.

        Raises:
            ModuleNotFoundError: The extra ``frames`` is not installed.

        Of a merge or dataset, errors and calls are else those of its ``run()``.
        """
        from .frames import to_numpy

        return to_numpy(self._as_columns())

    def to_df(self) -> pd.DataFrame:
        """
        Return a frame of pandas: times in UTC are its index ``t``, values its column ``d``, or a column for each key of objects.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.

        Errors and calls are else those of `to_numpy`.
        """
        from .frames import to_df

        return to_df(self._as_columns())

    def to_arrow(self) -> pa.Table:
        """
        Return a table of Arrow, with the columns ``t``, times in UTC, and ``d``, or one for each key of objects.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.

        Errors and calls are else those of `to_numpy`.
        """
        from .frames import to_arrow

        return to_arrow(self._as_columns())

    def to_parquet(self, file: str | os.PathLike[str]) -> None:
        """
        Write a Parquet file, the table that `to_arrow` returns; what is written has its name when all of it is there.

        Of a merge or dataset, some ten thousand points at a time are in memory, and meanwhile all in a temporary file beside it.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.

        Errors and calls are else those of `to_numpy`.
        """
        from .frames import write_parquet

        write_parquet(self._pieces(), file)


class DatapointArray(AsColumns, list[Datapoint]):
    """
    A list of datapoints ``{"t": seconds since 1970, "d": value}``.

    Besides by index and slice (which gives another one), it is read by column: ``array["t"]`` is `t`, ``array["d"]`` is
    `d`.
    """

    @overload
    def __getitem__(self, key: SupportsIndex) -> Datapoint: ...
    @overload
    def __getitem__(self, key: slice) -> DatapointArray: ...
    @overload
    def __getitem__(self, key: str) -> list[Any]: ...
    def __getitem__(self, key: SupportsIndex | slice | str) -> Any:
        """Return a point, a slice, or a column."""
        if isinstance(key, str):
            if key == "t":
                return self.t()
            if key == "d":
                return self.d()
            raise KeyError(f"{key!r}: the columns of datapoints are 't' and 'd'")
        if isinstance(key, slice):
            return type(self)(super().__getitem__(key))
        return super().__getitem__(key)

    def t(self) -> list[datetime]:
        """Return the times, as naive ``datetime`` objects in local time."""
        return [datetime.fromtimestamp(_time(point)) for point in self]

    def d(self) -> list[Any]:
        """Return the values."""
        return [point.get("d") for point in self]

    def raw(self) -> list[Datapoint]:
        """Return the points as a plain list."""
        return list(self)

    def copy(self) -> DatapointArray:
        """Return another array of the same points."""
        return type(self)(self)

    def transform(self, script: ScriptLike, *, tz: str = "") -> DatapointArray:
        """
        Return what a PipeScript makes of the points, in a new array: what a server that holds them would answer.

        Args:
            script: Text, what `connectordb.pipescript.pipe` made, or a `connectordb.pipescript.Script`.
            tz: The name of the time zone that functions of date and time use where the script names none; by default this
                machine's. A `Script` that has one of its own keeps it.

        Raises:
            PipeScriptError: It is no script, it fails on a point, or a result is none that JSON can hold.
        """
        from .pipescript import Script  # loads the language when it is asked for

        run = Script(script_text("script", script), tz=tz)
        return type(self)(as_answered(point) for point in run(self._plain()))

    def _plain(self) -> Iterator[Datapoint]:
        """Yield the points with time and value alone; a dataset's row at time 0 may lack the one, a point the other."""
        for point in self:
            yield (
                point if len(point) == 2 and "t" in point and "d" in point else {"t": _time(point), "d": point.get("d")}
            )

    # --- in place -----------------------------------------------------------------------------------------------------

    # a list's own sort is named differently: this one takes a function for the key, and returns the array
    def sort(self, f: Callable[[Datapoint], Any] = _time) -> DatapointArray:  # type: ignore[override]
        """
        Sort the points in place, and return the array.

        Args:
            f: Point → what to sort by; by default its time. Points that are equal in that keep their order.
        """
        super().sort(key=f)
        return self

    def merge(self, array: Iterable[Datapoint]) -> DatapointArray:
        """Take in the points of *array*, in order of time, and return this array; of equal times its own come first."""
        self.extend(array)
        return self.sort()

    def tshift(self, t: float) -> DatapointArray:
        """Move all points by *t* seconds, and return the array; other arrays that hold the same points keep theirs."""
        self[:] = [{**point, "t": _time(point) + t} for point in self]
        return self

    # --- together -----------------------------------------------------------------------------------------------------

    def __add__(self, other: Iterable[Datapoint]) -> DatapointArray:  # type: ignore[override]
        """Return both arrays' points in a new array, in order of time."""
        return self.copy().merge(other) if isinstance(other, list) else NotImplemented

    def __radd__(self, other: Iterable[Datapoint]) -> DatapointArray:
        """Return both arrays' points in a new array, in order of time."""
        return type(self)(other).merge(self) if isinstance(other, list) else NotImplemented

    def __iadd__(self, other: Iterable[Datapoint]) -> DatapointArray:  # type: ignore[override]
        """Take in the points of *other*, in order of time."""
        return self.merge(other)

    # --- numbers ------------------------------------------------------------------------------------------------------

    def sum(self) -> Any:
        """Return the sum of the values, 0 if there are none."""
        return sum(self.d())

    def mean(self) -> Any:
        """
        Return the mean of the values.

        Raises:
            ZeroDivisionError: There are none.
        """
        if not self:
            raise ZeroDivisionError("an array without datapoints has no mean")
        return self.sum() / len(self)

    # --- for other libraries ------------------------------------------------------------------------------------------

    def plot(self, *, label: str = "", ax: Axes | None = None) -> Axes:
        """
        Draw the points: numbers as a line, booleans as steps, texts as rows of bars, and of objects each key by itself.

        Times are local ones. A null is a gap. Of many points the lowest and the highest on each column of pixels are drawn, so
        that no peak is lost.

        Args:
            label: What they are called, in the title or the legend.
            ax: Axes of matplotlib to draw into; without it there is a new figure of ``matplotlib.pyplot``.

        Returns:
            The axes. Keys whose values do not go together have axes below each other, of which this is the first; all are in its
            ``figure.axes``.

        Raises:
            ModuleNotFoundError: The extra ``plot`` is not installed.
            LocalProtocolError: They do not go together in one *ax*, or a time is beyond the year 9999.
        """
        from .pictures import of_points, plot

        return plot(of_points(self, label), label, ax)

    # --- files --------------------------------------------------------------------------------------------------------

    def writeJSON(self, filename: str | os.PathLike[str]) -> None:
        """
        Write the points to a file, as a JSON array.

        Raises:
            LocalProtocolError: A value is none of JSON; nothing is written.
        """
        Path(filename).write_bytes(json_text.dumps(json_text.checked(list(self))))

    def to_csv(self, file: str | os.PathLike[str]) -> None:
        """
        Write the points to a CSV file: the columns ``t``, seconds since 1970, and ``d``; or of objects, one for each key of the first.

        `from_csv` reads every value as it was; what a cell says stands at `connectordb.point_files`. Who sent a point is left out.

        Raises:
            LocalProtocolError: A time is no number, a value none of JSON, or it has a key that the first one has not; nothing is
                written.
        """
        from .point_files import write_csv

        checked_times(self)
        write_csv(json_text.checked(list(self)), file)

    @classmethod
    def from_csv(cls, file: str | os.PathLike[str], *, tz: str | None = None, unit: str = "s") -> DatapointArray:
        """
        Return the points of a CSV file: a time and a value in each line; or names of columns in the first line, of which one is ``t``.

        Args:
            file: Times are numbers since 1970 or ISO 8601 text. Values are numbers, ``true``, ``false``, nothing (null), JSON in
                brackets, braces or quotes, or else text. Without a column ``d``, or with others beside it, each is an object.
            tz: The time zone of times without an offset, as ``"UTC"`` or ``"Europe/Berlin"``; without it they are local time.
            unit: What times that are numbers are counted in: ``"s"``, seconds, or ``"ms"``, ``"us"``, ``"ns"``.

        Raises:
            LocalProtocolError: A line has something else in it; the message says which.
        """
        from .point_files import read_csv

        return cls(read_csv(file, tz, unit))

    def loadJSON(self, filename: str | os.PathLike[str]) -> DatapointArray:
        """
        Take in the points of a file, in order of time, and return the array.

        Raises:
            LocalProtocolError: There is no JSON array of points in it; the array is as it was.
        """
        return self.merge(_read(Path(filename)))

    def loadExport(self, folder: str | os.PathLike[str]) -> DatapointArray:
        """
        Take in the points of an exported stream, in order of time, and return the array.

        Args:
            folder: The stream's own folder in the export.
        """
        return self.loadJSON(Path(folder) / exports.DATA)

    # --- as a value ---------------------------------------------------------------------------------------------------

    def _repr_html_(self) -> str:
        """Return a table, for notebooks."""
        from .display import to_html

        return to_html(self._sheet())

    def __rich__(self) -> Group:
        """Return a table, for the library rich."""
        from .display import to_rich

        return to_rich(self._sheet())

    def _sheet(self) -> Sheet:
        from .display import of_points

        return of_points(self, type(self).__name__)

    def __repr__(self) -> str:
        """Return the points; of a long array the first, the last, and how many there are."""
        name = type(self).__name__
        if len(self) <= 2 * _SHOWN:
            return f"{name}({super().__repr__()})"
        first, last = (", ".join(map(repr, part)) for part in (self.raw()[:_SHOWN], self.raw()[-_SHOWN:]))
        return f"<{name} of {len(self)} datapoints: {first}, …, {last}>"

    def __str__(self) -> str:
        """Return all points, as a list has them: what is printed may be read by another program."""
        return super().__repr__()


def _read(file: Path) -> list[Datapoint]:
    """Return the points of a file: nulls are left out there, as they are on the wire."""
    try:
        points = json_text.loads(file.read_bytes())
    except ValueError as error:
        raise LocalProtocolError(f"{str(file)!r} holds no JSON: {error}") from error
    if not isinstance(points, list):
        raise LocalProtocolError(f"{str(file)!r} holds no array of datapoints")
    for number, point in enumerate(points):
        if not isinstance(point, dict) or type(point.get("t", 0.0)) not in (int, float):
            raise LocalProtocolError(f"{str(file)!r} holds something else than a datapoint, at {number}")
        point.setdefault("d", None)
    return points
