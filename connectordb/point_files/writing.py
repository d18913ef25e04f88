"""Points written as text: lines of JSON, and CSV."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from typing import Any

from ..exceptions import LocalProtocolError
from ..plain_text import cut
from ..protocol import json_text
from ..protocol.points import Datapoint
from ..runtime.durable import replacing
from .cells import HARD, cell_of


def line_of(point: Datapoint) -> bytes:
    """Return a point as a line of JSON."""
    return json_text.dumps(point) + b"\n"


class CsvPoints:
    """Writes points as CSV: a time and a value, or a column for each name in the first value, if that is an object."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._names: list[str] | None = None
        self._begun = False

    def line(self, point: Datapoint) -> bytes:
        """
        Return a point as a line; the first one with the names of the columns before it.

        Raises:
            LocalProtocolError: Its value has a column that the first one has not, or is no object as that is.
        """
        value = point.get("d")
        if not self._begun:
            self._begun = True
            self._names = _names(value)
            self._writer.writerow(["t", *(self._names or ["d"])])
        if self._names is None:
            cells = [value]
        elif isinstance(value, dict) and value.keys() <= set(self._names):
            cells = [value.get(name) for name in self._names]
        else:
            raise LocalProtocolError(
                f"the value at t={point.get('t', 0.0)!r} has other columns than the first, which has {cut(', '.join(self._names), 80)}: "
                "CSV has the same in each line; JSON and Parquet take any"
            )
        self._writer.writerow([json_text.dumps(point.get("t", 0.0)).decode(), *map(cell_of, cells)])
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode()


def _names(value: Any) -> list[str] | None:
    """Return the names of the columns for values like this, or `None` if it stands in one of its own."""
    spread = isinstance(value, dict) and value and "t" not in value and list(value) != ["d"]
    return list(value) if spread and not any(HARD & set(name) for name in value) else None


def write_csv(points: Iterable[Datapoint], file: str | os.PathLike[str]) -> None:
    """
    Write points to a CSV file, as they come; if that fails, what was there is there still.

    Raises:
        LocalProtocolError: As `CsvPoints.line`.
    """
    with replacing(file) as opened:
        opened.writelines(map(CsvPoints().line, points))
