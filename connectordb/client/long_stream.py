"""A long stream: read in pages, and as arrays, frames and tables; the part of `Stream` that needs other libraries."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING, Any

from ..datapoints import DatapointArray
from ..exceptions import InvalidRequest, LocalProtocolError
from ..protocol import ranges, refusals, rest
from ..protocol.points import Datapoint
from ..protocol.ranges import Range
from .bulk_stream import BulkStream

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..frames import Columns, Piece
    from ..pictures import Series
    from ..protocol.paths import Path
    from ..protocol.scripts import ScriptLike
    from ..protocol.times import Time
    from .points.pages import Pages

#: Points of a page where nobody says how many: each becomes an object.
PAGE = 5000

#: Points of a page that goes into columns, or a file: some megabytes of text.
_LARGE_PAGE = 50_000


class LongStream(BulkStream):
    """A stream that may be too long for a list of its points."""

    if TYPE_CHECKING:  # of `Stream`

        def _read(self, path: Path, parameters: dict[str, str]) -> DatapointArray: ...

    def pages(
        self,
        size: int = PAGE,
        *,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        downlink: bool = False,
        transform: ScriptLike | None = None,
    ) -> Pages:
        """
        Return an iterator over the points of a range, page by page, so that never more than a page is in memory.

        The range is that of the moment of the first page. Each page is a request of its own, by index: what fails and may be
        tried again is. Where that comes to nothing, `next` raises, and reads the same page when it is called again; a program that
        remembers the iterator's ``index`` can go on there with *i1* another day.

        Args:
            size: Points of a page; the last one may have fewer.
            t1: The range, as for ``stream(…)``.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            downlink: Read the downlink.
            transform: Refused: what a script makes has no indices by which a page could be read again. `points` takes one.

        Raises:
            InvalidRange: It is none.
            LocalProtocolError: There is a transform.

        Calls: ``GET crud/<path>/data?q=length``, ``GET crud/<path>/data`` for each page, and with times some single points.
        """
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise LocalProtocolError(f"size={size!r}: a page has one point at least")
        if transform is not None:
            raise LocalProtocolError(
                f"transform={transform!r:.60}: what a script makes is in no pages; points(transform=…) yields it as it comes"
            )
        fields = Range(self._session.clock.wall(), t1, t2, limit, i1, i2).fields
        path = self._sequence(downlink)
        return self._pages(size, lambda: self._span(path, fields), path)

    def __iter__(self) -> Iterator[Datapoint]:
        """Yield every point, holding no more than a page of them; after a failure `next` goes on where it was."""
        from .points.pages import Points

        return Points(self._pages(PAGE, lambda: (0, inf), self._path))

    def points(
        self,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        downlink: bool = False,
        transform: ScriptLike | None = None,
    ) -> Iterator[Datapoint]:
        """
        Yield the points of a range one by one, however many there are, or what a transform makes of them.

        Without a transform no more than a page of them is in memory, and after a failure `next` goes on where it was, as with
        `pages`. What a transform makes is there as soon as the server has made it; what comes while the program works on a point waits
        in memory, up to 16 MiB. If the answer breaks off, the server is asked again, and gone on with if it answers the same to there;
        else the exception says how many points came, and a program has to begin anew.

        Args:
            t1: The range, as for ``stream(…)``; without any, all points.
            t2: As for ``stream(…)``.
            limit: As for ``stream(…)``.
            i1: As for ``stream(…)``.
            i2: As for ``stream(…)``.
            downlink: Read the downlink.
            transform: As for ``stream(…)``.

        Raises:
            InvalidRange: It is none.
            InvalidRequest: The transform is none, or fails.

        Calls: As `pages`; with a transform ``GET crud/<path>/data``.
        """
        path, asked = self._sequence(downlink), Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        if asked.script:
            return self._coming(path, asked)
        from .points.pages import Points

        return Points(self._pages(PAGE, lambda: self._span(path, asked.fields), path))

    def _coming(self, path: Path, asked: Range) -> Iterator[Datapoint]:
        from .points.coming import coming

        try:
            yield from coming(self._session, rest.points(path, asked.parameters))
        except InvalidRequest as refused:
            if refused.message != refusals.INVALID_RANGE:  # which is an empty one, as for a read
                raise

    def _pages(self, size: int, span: Callable[[], tuple[int, float]], path: Path) -> Pages:
        from .points.pages import Pages

        return Pages(
            lambda first, last: self._read(path, ranges.read_parameters({"i1": first, "i2": last})), size, span
        )

    def _span(self, path: Path, fields: dict[str, Any]) -> tuple[int, int]:
        from ..protocol import indices

        return indices.span(self._session.call, path, fields)

    # --- as columns ---------------------------------------------------------------------------------------------------

    def _requests(self, path: Path, asked: Range) -> Iterator[rest.Request[list[Datapoint]]]:
        """Yield the requests that bring a range in pages."""
        first, last = self._span(path, asked.fields)
        for index in range(first, last, _LARGE_PAGE):
            yield rest.points(path, ranges.read_parameters({"i1": index, "i2": min(index + _LARGE_PAGE, last)}))

    def _pieces(self, asked: Range, downlink: bool) -> Iterator[Piece]:
        from ..frames import pieces_of, read_pieces, wire_columns
        from .points.ahead import read_ahead

        path, columns = self._sequence(downlink), wire_columns.are_wanted()
        if asked.script:
            return pieces_of(self._coming(path, asked))
        texts = (rest.as_text(request, columns=columns) for request in self._requests(path, asked))
        return read_pieces(read_ahead(self._session, texts))

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

        Some ten thousand points at a time are in memory, and meanwhile all in a temporary file. Arguments, errors and calls are those of `to_numpy`.

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
