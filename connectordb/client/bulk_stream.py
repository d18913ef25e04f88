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
        Append what a CSV file holds: a time and a value in each line; or names of columns in the first line, of which one is ``t``.

        Args:
            file: Times are numbers since 1970 or ISO 8601 text. Values are numbers, ``true``, ``false``, nothing (null), JSON in
                brackets, braces or quotes, or else text. Without a column ``d``, or with others beside it, each is an object. It is
                read piece by piece.
            tz: The time zone of times without an offset, as ``"UTC"`` or ``"Europe/Berlin"``; without it they are local time.
            unit: What times that are numbers are counted in: ``"s"``, seconds, or ``"ms"``, ``"us"``, ``"ns"``.
            restamp: As for `insert_array`.

        Raises:
            LocalProtocolError: A line has something else in it, or a point is one of which `insert_array` warns; the message says which,
                and how many points are stored.

        Errors and calls are else those of `insert_array`.
        """
        from ..point_files import read_csv
        from ..protocol.doubts import refuse_of_text

        self._insert_points(read_csv(file, tz, unit), restamp, refuse_of_text)
