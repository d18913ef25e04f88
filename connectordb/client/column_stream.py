"""A stream as arrays, frames, tables, pictures and files; the part of `Stream` that other libraries are for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..protocol import ranges, rest
from ..protocol.ranges import Range
from .long_stream import LongStream, or_none

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

#: Points of a page that goes into columns, or a file: some megabytes of text.
_LARGE_PAGE = 50_000


class ColumnStream(LongStream):
    """A stream whose points are taken as columns, and not as an object each."""

    # --- as columns ---------------------------------------------------------------------------------------------------

    def _requests(self, path: Path, asked: Range) -> Iterator[rest.Request[list[Datapoint]]]:
        """Yield the requests that bring a range in pages."""
        first, last = self._span(path, asked.fields)
        for index in range(first, last, _LARGE_PAGE):
            yield rest.points(path, ranges.read_parameters({"i1": index, "i2": min(index + _LARGE_PAGE, last)}))

    def _pieces(self, asked: Range, downlink: bool) -> Iterator[Piece]:
        from ..frames import read_pieces, wire_columns
        from .points.ahead import read_ahead
        from .points.coming import coming_arrays

        path, columns = self._sequence(downlink), wire_columns.are_wanted()
        if asked.script:
            return read_pieces(or_none(coming_arrays(self._session, rest.points(path, asked.parameters))))
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
        Return the points of a range as a structured array: ``array["t"]`` are seconds since 1970, ``array["d"]`` the values.

        Numbers go from the wire into the array without an object for each point. What array holds which values, and what becomes
        of nulls, stands at `connectordb.frames.Columns`; where all values are objects, ``array["d"]["name"]`` is a column.

        Args:
            t1: The range, as for ``stream(…)``; without any, all points.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            downlink: Read the downlink.
            transform: As for ``stream(…)``.

        Raises:
            ModuleNotFoundError: The extra ``frames`` is not installed.
            InvalidRange: The range is none.

        Calls: As `pages`; with a transform ``GET crud/<path>/data``.
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
        Return the points of a range as a frame of pandas: times in UTC are its index ``t``, values its column ``d``.

        Where all values are objects, there is a column for each of their keys. Arguments, errors and calls are those of `to_numpy`.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.
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
        Return the points of a range as a table of Arrow, with the columns ``t``, times in UTC, and ``d``, or one for each key.

        Arguments, errors and calls are those of `to_numpy`.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.
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
        Draw the points of a range: numbers as a line, booleans as steps, texts as rows of bars, and of objects each key by itself.

        Times are local ones, a null is a gap. Of many points the lowest and the highest on each column of pixels are drawn, so that no
        peak is lost; a shorter range shows more. The unit is that of the schema, ``{"type": "number", "unit": "°C"}``; what a
        transform makes has none.

        Args:
            t1: The range, as for ``stream(…)``; without any, all points.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            downlink: Draw the downlink.
            transform: As for ``stream(…)``.
            label: What it is called, in the title or the legend; by default its nickname, or else its path.
            ax: Axes of matplotlib to draw into; without it there is a new figure of ``matplotlib.pyplot``.

        Returns:
            The axes. Keys whose values do not go together have axes below each other, of which this is the first; all are in its
            ``figure.axes``.

        Raises:
            ModuleNotFoundError: The extra ``plot`` is not installed.
            InvalidRange: The range is none.
            LocalProtocolError: What is drawn does not go together in one *ax*, or a time is beyond the year 9999.

        Calls: As `to_numpy`, and ``GET crud/<path>`` for nickname and unit, if they are not known.
        """
        from ..pictures import plot

        asked = Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        return plot(self._series(label, asked, downlink), label or self._label(self._sequence(downlink)), ax)

    def _label(self, sequence: Path) -> str:
        if not self.nickname:
            return str(sequence)
        return f"{self.nickname}/downlink" if sequence.downlink else self.nickname

    def _series(self, label: str, asked: Range, downlink: bool = False) -> list[Series]:
        """Return what is drawn of a range."""
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
        Write the points of a range to a Parquet file: the table that `to_arrow` returns. It has its name when all of it is there.

        Some ten thousand points at a time are in memory, and meanwhile all in a temporary file beside it. Arguments, errors and calls are those of `to_numpy`.

        Raises:
            LocalProtocolError: A time is outside of the years 1677 to 2262.
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
        Write the points of a range to a CSV file, page by page: the columns ``t``, seconds since 1970, and ``d``.

        Where the first value is an object there is a column for each of its keys instead; a key that another lacks is an empty cell,
        as a null is. A value is written as JSON, text as it is, in the quotes of JSON where it would say something else. `from_csv`
        reads every value as it was.

        Raises:
            LocalProtocolError: A value is no object, or has another key, where the first one is an object; there is no file then.

        Arguments, errors and calls are else those of `to_numpy`.
        """
        from ..point_files import write_csv
        from .points.ahead import read_ahead

        path, asked = self._sequence(downlink), Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        if asked.script:
            write_csv(self._coming(path, asked), file)
        else:
            pages = read_ahead(self._session, self._requests(path, asked))
            write_csv((point for page in pages for point in page), file)
