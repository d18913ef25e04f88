"""The part of `Stream` that appends many points at once: from frames, Parquet and CSV files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..protocol.points import Datapoint
from .live_stream import LiveStream

if TYPE_CHECKING:
    import pandas as pd

    from ..protocol.doubts import Tell
    from ..protocol.encoded import Encoded


class BulkStream(LiveStream):
    """A stream that accepts frames and files."""

    if TYPE_CHECKING:  # of `Stream`

        def _insert_points(self, points: Iterable[Datapoint], restamp: bool, tell: Tell) -> None: ...
        def _insert_batches(self, batches: Iterable[Encoded], restamp: bool) -> None: ...

    def insert_df(self, frame: pd.DataFrame | pd.Series[Any], *, tz: str | None = None, restamp: bool = False) -> None:
        """
        Append the rows of a pandas frame or series, in their order and however many there are.

        Args:
            frame: Its index holds the times, as instants or as seconds since 1970. The values are those of a series, or of a frame's
                only column if that is called ``d``. Any other row becomes an object, without the columns that are missing in it.
                A missing value (NaN, NaT, NA) in a series or in ``d`` becomes null.
            tz: The time zone of an index that has none, such as ``"UTC"`` or ``"Europe/Berlin"``.
            restamp: As for `insert_array`.

        Raises:
            ModuleNotFoundError: The extra ``frames`` is not installed.
            LocalProtocolError: The index holds no times, has no time zone, is not in order, or has times that do not exist or exist
                twice in *tz*; a value cannot be JSON; or a point is one of which `insert_array` would warn.

        Other errors, and the calls, are those of `insert_array`.
        """
        from ..frames import from_df
        from ..protocol.doubts import refuse
        from .points.ahead import make_ahead
        from .points.batches import batches_of_pages

        made = batches_of_pages(from_df(frame, tz), self._session.clock.wall(), refuse)
        self._insert_batches(make_ahead(self._session, made), restamp)

    def from_parquet(self, file: str | os.PathLike[str], *, restamp: bool = False) -> None:
        """
        Append the rows of a Parquet file: times are in the column ``t``, values in ``d``, or else objects of all other columns.

        Args:
            file: The file, which is read piece by piece.
            restamp: As for `insert_array`.

        Raises:
            ModuleNotFoundError: The extra ``frames`` is not installed.
            LocalProtocolError: There are no such columns, the times have no time zone, or a point is one of which `insert_array`
                would warn.

        Other errors, and the calls, are those of `insert_array`.
        """
        from ..frames import read_parquet
        from ..protocol.doubts import refuse

        self._insert_points(read_parquet(file), restamp, refuse)

    def from_csv(
        self, file: str | os.PathLike[str], *, tz: str | None = None, unit: str = "s", restamp: bool = False
    ) -> None:
        """
        Append the points of a CSV file.

        The file has a time and a value in each line; or the names of columns, one of them ``t``, in the first line.

        Args:
            file: The file, which is read piece by piece. Times are numbers since 1970 or ISO 8601 text. Values are numbers,
                ``true``, ``false``, nothing (null), JSON in brackets, braces or quotes, or otherwise text. Unless ``d`` is the only
                column besides ``t``, each value is an object of all other columns.
            tz: The time zone of times without an offset, such as ``"UTC"`` or ``"Europe/Berlin"``; by default they are local time.
            unit: The unit of times that are numbers: ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``.
            restamp: As for `insert_array`.

        Raises:
            LocalProtocolError: A line is no point, or a point is one of which `insert_array` would warn; the message says which, and
                how many points are stored.

        Other errors, and the calls, are those of `insert_array`.
        """
        from ..point_files import read_csv
        from ..protocol.doubts import refuse_of_text

        self._insert_points(read_csv(file, tz, unit), restamp, refuse_of_text)
