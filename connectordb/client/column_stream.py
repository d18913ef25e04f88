"""The part of `Stream` that makes arrays, frames, tables, pictures and files of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..protocol import ranges, rest
from ..protocol.ranges import Range
from .long_stream import LongStream, empty_if_refused

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..frames import Columns, Piece
    from ..pictures import Series
    from ..protocol.paths import Path
    from ..protocol.points import Datapoint
    from ..protocol.scripts import ScriptLike
    from ..protocol.times import Time

#: Points in a page that goes into columns or a file: some megabytes of text.
_LARGE_PAGE = 50_000


class ColumnStream(LongStream):
    """A stream that is read as columns instead of a Python object for each point."""

    # --- as columns ---------------------------------------------------------------------------------------------------

    def _requests(self, path: Path, asked: Range) -> Iterator[rest.Request[list[Datapoint]]]:
        """Yield the requests that read a range page by page."""
        first, last = self._span(path, asked.fields)
        for index in range(first, last, _LARGE_PAGE):
            yield rest.points(path, ranges.read_parameters({"i1": index, "i2": min(index + _LARGE_PAGE, last)}))

    def _pieces(self, asked: Range, downlink: bool) -> Iterator[Piece]:
        from ..frames import read_pieces, wire_columns
        from .points.ahead import read_ahead
        from .points.coming import coming_arrays

        path, columns = self._sequence(downlink), wire_columns.are_wanted()
        if asked.script:
            return read_pieces(empty_if_refused(coming_arrays(self._session, rest.points(path, asked.parameters))))
        requests = (rest.as_text(request, columns=columns) for request in self._requests(path, asked))
        texts: Iterator[bytes] = read_ahead(self._session, requests)
        return read_pieces(texts)

    def _columns(self, asked: Range, downlink: bool = False) -> Columns:
        from ..frames import Columns

        return Columns.join(self._pieces(asked, downlink))

    def to_numpy(
        self,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        downlink: bool = False,
        transform: ScriptLike | None = None,
    ) -> NDArray[Any]:
        """
        Return the points of a range as a structured NumPy array: ``array["t"]`` holds seconds since 1970, ``array["d"]`` the values.

        Numbers go from the wire into the array without a Python object for each point. `connectordb.frames.Columns` says which
        values become which type of array, and what becomes of nulls. If all values are objects, ``array["d"]["name"]`` holds the
        values of one key.

        Args:
            t1: The range, as for ``stream(…)``; by default all points.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            downlink: Read the downlink instead.
            transform: As for ``stream(…)``.

        Raises:
            ModuleNotFoundError: The extra ``frames`` is not installed.
            InvalidRange: The range is not valid.

        Calls: As `pages`; with a transform, ``GET crud/<path>/data``.
        """
        from ..frames import to_numpy

        return to_numpy(self._columns(Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform), downlink))

    def to_df(
        self,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        downlink: bool = False,
        transform: ScriptLike | None = None,
    ) -> pd.DataFrame:
        """
        Return the points of a range as a pandas frame: the index ``t`` holds the times in UTC, the column ``d`` the values.

        If all values are objects, there is a column for each of their keys instead.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.

        Arguments, other errors, and the calls are those of `to_numpy`.
        """
        from ..frames import to_df

        return to_df(self._columns(Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform), downlink))

    def to_arrow(
        self,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        downlink: bool = False,
        transform: ScriptLike | None = None,
    ) -> pa.Table:
        """
        Return the points of a range as an Arrow table: the column ``t`` holds the times in UTC, ``d`` the values.

        If all values are objects, there is a column for each of their keys instead of ``d``.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.

        Arguments, other errors, and the calls are those of `to_numpy`.
        """
        from ..frames import to_arrow

        return to_arrow(self._columns(Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform), downlink))

    # --- as a picture -------------------------------------------------------------------------------------------------

    def plot(
        self,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        downlink: bool = False,
        transform: ScriptLike | None = None,
        *,
        label: str = "",
        ax: Axes | None = None,
    ) -> Axes:
        """
        Draw the points of a range: numbers as a line, booleans as steps, texts as rows of bars, and each key of objects by itself.

        Times are shown as local time, and a null is a gap. Of many points only the lowest and the highest in each column of pixels
        are drawn, so no peak is lost, and a shorter range shows more detail. The unit is that of the schema,
        ``{"type": "number", "unit": "°C"}``; the result of a transform has none.

        Args:
            t1: The range, as for ``stream(…)``; by default all points.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            downlink: Draw the downlink instead.
            transform: As for ``stream(…)``.
            label: The stream's name in the title or the legend; by default its nickname, or else its path.
            ax: Matplotlib axes to draw into; by default a new figure of ``matplotlib.pyplot``.

        Returns:
            The axes. Keys whose values do not fit on one axis get several, one below the other; the first is returned, and all are
            in its ``figure.axes``.

        Raises:
            ModuleNotFoundError: The extra ``plot`` is not installed.
            InvalidRange: The range is not valid.
            LocalProtocolError: More than one *ax* is needed, or a time is after the year 9999.

        Calls: As `to_numpy`, and ``GET crud/<path>`` for nickname and unit if they are not known yet.
        """
        from ..pictures import plot

        asked = Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        return plot(self._series(label, asked, downlink), label or self._label(self._sequence(downlink)), ax)

    def _label(self, sequence: Path) -> str:
        if not self.nickname:
            return str(sequence)
        return f"{self.nickname}/downlink" if sequence.downlink else self.nickname

    def _series(self, label: str, asked: Range, downlink: bool = False) -> list[Series]:
        """Return what there is to draw of a range."""
        from ..pictures import of_columns

        schema = self.data.get("schema") if not asked.script else None
        label = label or self._label(self._sequence(downlink))
        return of_columns(self._columns(asked, downlink), label, schema and json.loads(schema))

    # --- as files -----------------------------------------------------------------------------------------------------

    def to_parquet(
        self,
        file: str | os.PathLike[str],
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        downlink: bool = False,
        transform: ScriptLike | None = None,
    ) -> None:
        """
        Write the points of a range to a Parquet file, with the columns of `to_arrow`.

        Memory holds some ten thousand points at a time; the others are in a temporary file beside it. The file gets its name when
        it is complete.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.

        Arguments, other errors, and the calls are those of `to_numpy`.
        """
        from ..frames import write_parquet

        asked = Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        write_parquet(self._pieces(asked, downlink), file)

    def to_csv(
        self,
        file: str | os.PathLike[str],
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        downlink: bool = False,
        transform: ScriptLike | None = None,
    ) -> None:
        """
        Write the points of a range to a CSV file, page by page, with the columns ``t``, seconds since 1970, and ``d``.

        If the first value is an object, there is a column for each of its keys instead of ``d``; a key that a later value lacks is
        an empty cell, as a null is. Text is written as it is, or in JSON's quotes if it would be read as something else; other
        values are written as JSON. `from_csv` reads every value as it was.

        Raises:
            LocalProtocolError: The first value is an object, and another one is none or has another key; no file is written.

        Arguments, other errors, and the calls are those of `to_numpy`.
        """
        from ..point_files import write_csv
        from .points.ahead import read_ahead

        path, asked = self._sequence(downlink), Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        if asked.script:
            write_csv(self._coming(path, asked), file)
        else:
            pages = read_ahead(self._session, self._requests(path, asked))
            write_csv((point for page in pages for point in page), file)
