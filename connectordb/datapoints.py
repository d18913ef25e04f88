"""
`DatapointArray`: a list of datapoints with methods to transform, convert, draw and save them.

A datapoint is a dict with the keys ``t``, seconds since 1970; ``d``, any JSON value; and ``o``, the device that wrote it, if that is
not the stream's own device. Nothing here asks a server.
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
    """Return a point's time; the row of a dataset at time 0 lacks the key."""
    time: float = point.get("t", 0.0)
    return time


class AsColumns:
    """Points that can be converted to arrays, frames and tables, with the libraries of the extra ``frames``."""

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
        Return a structured NumPy array: ``array["t"]`` holds seconds since 1970, ``array["d"]`` the values.

        `connectordb.frames.Columns` says which values become which type of array, and what becomes of nulls. If all values are
        objects, as in the rows of a dataset, ``array["d"]["name"]`` holds the values of one key.

        Raises:
            ModuleNotFoundError: The extra ``frames`` is not installed.

        For a merge or dataset, other errors, and the calls, are those of its ``run()``.
        """
        from .frames import to_numpy

        return to_numpy(self._as_columns())

    def to_df(self) -> pd.DataFrame:
        """
        Return a pandas frame: the index ``t`` holds the times in UTC, the column ``d`` the values.

        If all values are objects, there is a column for each of their keys instead.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.

        Other errors, and the calls, are those of `to_numpy`.
        """
        from .frames import to_df

        return to_df(self._as_columns())

    def to_arrow(self) -> pa.Table:
        """
        Return an Arrow table: the column ``t`` holds the times in UTC, ``d`` the values.

        If all values are objects, there is a column for each of their keys instead of ``d``.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.

        Other errors, and the calls, are those of `to_numpy`.
        """
        from .frames import to_arrow

        return to_arrow(self._as_columns())

    def to_parquet(self, file: str | os.PathLike[str]) -> None:
        """
        Write a Parquet file with the columns of `to_arrow`. The file gets its name when it is complete.

        For a merge or dataset, memory holds some ten thousand points at a time; the others are in a temporary file beside it.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.

        Other errors, and the calls, are those of `to_numpy`.
        """
        from .frames import write_parquet

        write_parquet(self._pieces(), file)


class DatapointArray(AsColumns, list[Datapoint]):
    """
    A list of datapoints ``{"t": seconds since 1970, "d": value}``.

    An index returns a point, a slice another `DatapointArray`, and ``"t"`` or ``"d"`` a column: ``array["t"]`` is the same as `t`,
    ``array["d"]`` the same as `d`.
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
        Run PipeScript over the points, and return its results in a new array, as a server that holds the points would.

        Args:
            script: Text, the result of `connectordb.pipescript.pipe`, or a `connectordb.pipescript.Script`.
            tz: The name of the time zone for functions of date and time, if the script names none; by default this machine's. A
                `Script` that has a time zone keeps it.

        Raises:
            PipeScriptError: The script is not valid, it fails on a point, or a result cannot be JSON.
        """
        from .pipescript import Script  # few programs need the language

        run = Script(script_text("script", script), tz=tz)
        return type(self)(as_answered(point) for point in run(self._plain()))

    def _plain(self) -> Iterator[Datapoint]:
        """Yield the points with time and value alone, and with both, although a key may be missing."""
        for point in self:
            yield (
                point if len(point) == 2 and "t" in point and "d" in point else {"t": _time(point), "d": point.get("d")}
            )

    # --- in place -----------------------------------------------------------------------------------------------------

    # unlike a list's own sort, as in 0.3.5: the key function is the first argument, and the array is returned
    def sort(self, f: Callable[[Datapoint], Any] = _time) -> DatapointArray:  # type: ignore[override]
        """
        Sort the points in place, and return the array.

        Args:
            f: Returns what to sort a point by; by default its time. Points for which it is equal keep their order.
        """
        super().sort(key=f)
        return self

    def merge(self, array: Iterable[Datapoint]) -> DatapointArray:
        """Add the points of *array*, sort by time, and return this array; of points at the same time its own come first."""
        self.extend(array)
        return self.sort()

    def tshift(self, t: float) -> DatapointArray:
        """Add *t* seconds to all times, and return the array; other arrays with the same points keep their times."""
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
        """Add the points of *other*, and sort by time."""
        return self.merge(other)

    # --- numbers ------------------------------------------------------------------------------------------------------

    def sum(self) -> Any:
        """Return the sum of the values; 0 if there are no points."""
        return sum(self.d())

    def mean(self) -> Any:
        """
        Return the mean of the values.

        Raises:
            ZeroDivisionError: There are no points.
        """
        if not self:
            raise ZeroDivisionError("an array without datapoints has no mean")
        return self.sum() / len(self)

    # --- for other libraries ------------------------------------------------------------------------------------------

    def plot(self, *, label: str = "", ax: Axes | None = None) -> Axes:
        """
        Draw the points: numbers as a line, booleans as steps, texts as rows of bars, and each key of objects by itself.

        Times are shown as local time, and a null is a gap. Of many points only the lowest and the highest in each column of pixels
        are drawn, so no peak is lost.

        Args:
            label: The name of the points in the title or the legend.
            ax: Matplotlib axes to draw into; by default a new figure of ``matplotlib.pyplot``.

        Returns:
            The axes. Keys whose values do not fit on one axis get several, one below the other; the first is returned, and all are
            in its ``figure.axes``.

        Raises:
            ModuleNotFoundError: The extra ``plot`` is not installed.
            LocalProtocolError: More than one *ax* is needed, or a time is after the year 9999.
        """
        from .pictures import of_points, plot

        return plot(of_points(self, label), label, ax)

    # --- files --------------------------------------------------------------------------------------------------------

    def writeJSON(self, filename: str | os.PathLike[str]) -> None:
        """
        Write the points to a file, as a JSON array.

        Raises:
            LocalProtocolError: A value cannot be JSON; nothing is written.
        """
        Path(filename).write_bytes(json_text.dumps(json_text.checked(list(self))))

    def to_csv(self, file: str | os.PathLike[str]) -> None:
        """
        Write the points to a CSV file with the columns ``t``, seconds since 1970, and ``d``.

        If the first value is an object, there is a column for each of its keys instead of ``d``. `connectordb.point_files` says how
        values are written; `from_csv` reads every value as it was. Who sent a point is left out.

        Raises:
            LocalProtocolError: A time is no number; a value cannot be JSON; or the first value is an object, and another one is none
                or has a further key. Nothing is written.
        """
        from .point_files import write_csv

        checked_times(self)
        write_csv(json_text.checked(list(self)), file)

    @classmethod
    def from_csv(cls, file: str | os.PathLike[str], *, tz: str | None = None, unit: str = "s") -> DatapointArray:
        """
        Return the points of a CSV file.

        The file has a time and a value in each line; or the names of columns, one of them ``t``, in the first line.

        Args:
            file: The file. Times are numbers since 1970 or ISO 8601 text. Values are numbers, ``true``, ``false``, nothing (null),
                JSON in brackets, braces or quotes, or otherwise text. Unless ``d`` is the only column besides ``t``, each value is
                an object of all other columns.
            tz: The time zone of times without an offset, such as ``"UTC"`` or ``"Europe/Berlin"``; by default they are local time.
            unit: The unit of times that are numbers: ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``.

        Raises:
            LocalProtocolError: A line is no point; the message says which.
        """
        from .point_files import read_csv

        return cls(read_csv(file, tz, unit))

    def loadJSON(self, filename: str | os.PathLike[str]) -> DatapointArray:
        """
        Add the points of a JSON file, sort by time, and return the array.

        Raises:
            LocalProtocolError: The file does not contain a JSON array of points; the array remains as it was.
        """
        return self.merge(_read(Path(filename)))

    def loadExport(self, folder: str | os.PathLike[str]) -> DatapointArray:
        """
        Add the points of an exported stream, sort by time, and return the array.

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
        """Return the points; for a long array the first and the last ones, and their number."""
        name = type(self).__name__
        if len(self) <= 2 * _SHOWN:
            return f"{name}({super().__repr__()})"
        first, last = (", ".join(map(repr, part)) for part in (self.raw()[:_SHOWN], self.raw()[-_SHOWN:]))
        return f"<{name} of {len(self)} datapoints: {first}, …, {last}>"

    def __str__(self) -> str:
        """Return all points as a list would, as other programs may read what is printed."""
        return super().__repr__()


def _read(file: Path) -> list[Datapoint]:
    """Return the points of a JSON file, adding the nulls that are left out in it, as they are on the wire."""
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
