"""Points as a pandas frame, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..exceptions import LocalProtocolError
from ..protocol.constants import DATAPOINT_INSERT_LIMIT
from ..protocol.points import EXACT, Datapoint
from .columns import Columns
from .extras import library
from .instants import to_nanoseconds, to_seconds

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def to_df(columns: Columns) -> pd.DataFrame:
    """
    Return a frame: the index ``t`` holds the times in UTC, the column ``d`` the values.

    If all values are objects, there is a column for each of their keys instead.

    Raises:
        LocalProtocolError: A time is outside of the years 1677 to 2262.
    """
    pandas = library("pandas", "to_df()")
    times, values = columns
    index = pandas.DatetimeIndex(to_nanoseconds(times).view("M8[ns]"), name="t").tz_localize("UTC")
    frame: pd.DataFrame = pandas.DataFrame(
        values if isinstance(values, dict) else {"d": values}, index=index, copy=False
    )
    return frame


def side_by_side(several: Mapping[str, Columns]) -> pd.DataFrame:
    """
    Return one frame of several streams: a column for each, and a row for each time at which one of them has a point.

    A stream whose values are all objects has a column for each of their keys, ``"name.key"``. Where a stream has no point at a time,
    its value is missing. Several points of a stream at the same time have a row each.

    Args:
        several: The columns of each stream, by its name.

    Raises:
        LocalProtocolError: A time is outside of the years 1677 to 2262.
    """
    pandas = library("pandas", "to_df()")
    frames = []
    for name, columns in several.items():
        frame = to_df(columns)
        if isinstance(columns.values, dict):
            frame.columns = [f"{name}.{key}" for key in frame.columns]
        else:
            frame.columns = [name]
        # rows that are missing would turn the column into floats, to which large integers are not exact
        large = [key for key in frame.select_dtypes("int64") if frame[key].abs().max() > EXACT]
        frame = frame.astype(dict.fromkeys(large, object))
        # pandas cannot join on repeated times, so each row gets its number among those of the same time
        frames.append(frame.set_index(frame.groupby(level="t").cumcount(), append=True))
    if not frames:
        return to_df(Columns.of([]))[[]]
    joined: pd.DataFrame = pandas.concat(frames, axis="columns").sort_index().droplevel(1)
    return joined


def from_df(
    frame: pd.DataFrame | pd.Series[Any], tz: str | None = None, size: int = DATAPOINT_INSERT_LIMIT
) -> Iterator[list[Datapoint]]:
    """
    Return an iterator over the points of a frame, in its order, as lists.

    Args:
        frame: Its index holds the times, as instants or as seconds since 1970. The values are those of a series, or of a frame's only
            column if that is called ``d``. Any other row becomes an object, without the columns that are missing in it.
        tz: The time zone of an index that has none.
        size: The number of points in a list.

    Raises:
        LocalProtocolError: It is no frame, its index holds no times, or these have no time zone.
    """
    pandas = library("pandas", "insert_df()")
    if not isinstance(frame, (pandas.DataFrame, pandas.Series)):
        raise LocalProtocolError(f"a {type(frame).__name__} is no frame of pandas; insert_array() takes datapoints")
    times = _seconds(frame.index, tz)
    if isinstance(frame, pandas.Series):
        frame = frame.to_frame("d")
    names = list(frame.columns)
    if len(names) == 0:
        raise LocalProtocolError("a frame without columns holds no values")
    if len(set(names)) != len(names) or not all(isinstance(name, str) for name in names):
        raise LocalProtocolError(f"the columns {names!r:.100} have to be texts, each once")
    return _pages(frame, times, names, size)


def _pages(frame: pd.DataFrame, times: NDArray[np.float64], names: list[str], size: int) -> Iterator[list[Datapoint]]:
    for begin in range(0, len(frame), size):
        part = [_plain(frame[name].iloc[begin : begin + size]) for name in names]
        if names == ["d"]:
            rows: Iterable[Any] = part[0]
        else:
            rows = (
                {name: value for name, value in zip(names, row, strict=True) if value is not None}
                for row in zip(*part, strict=True)
            )
        yield [{"t": t, "d": d} for t, d in zip(times[begin : begin + size].tolist(), rows, strict=True)]


def _seconds(index: Any, tz: str | None) -> Any:
    pandas, numpy = library("pandas", "insert_df()"), library("numpy", "insert_df()")
    if isinstance(index, pandas.DatetimeIndex):
        if index.tz is None and tz is None:
            raise LocalProtocolError(
                "the frame's times have no time zone: say which with tz=, as tz='UTC' or tz='Europe/Berlin'"
            )
        aware = _localized(index, tz) if index.tz is None else index
        if aware.hasnans:
            raise LocalProtocolError("a row of the frame has no time")
        instants = aware.tz_convert("UTC").tz_localize(None).to_numpy()
        return to_seconds(instants.view("i8"), numpy.datetime_data(instants.dtype)[0])
    if (
        pandas.api.types.is_numeric_dtype(index)
        and not pandas.api.types.is_bool_dtype(index)
        and not isinstance(index, pandas.RangeIndex)
    ):
        return index.to_numpy(dtype=numpy.float64)
    raise LocalProtocolError(
        f"the frame's index holds {index.dtype}: it is to hold the times; df.set_index('the column of times') makes one that does"
    )


def _localized(index: Any, tz: str | None) -> Any:
    try:
        return index.tz_localize(tz)
    except Exception as error:  # its class depends on the library that provides the time zones
        raise LocalProtocolError(
            f"the frame's times are not valid in tz={tz!r}: {error}; df.tz_localize(…, ambiguous=…, nonexistent=…) can say what is meant"
        ) from error


def _plain(column: Any) -> list[Any]:
    """Return the values of a column as plain Python values, with ``None`` for those that are missing."""
    values: list[Any] = column.tolist()
    if not column.hasnans:
        return values
    return [None if missing else value for value, missing in zip(values, column.isna().tolist(), strict=True)]
