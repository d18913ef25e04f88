"""Writes points as text: lines of JSON, and CSV."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator
from itertools import chain, islice
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


def csv_lines(points: Iterable[Datapoint]) -> Iterator[bytes]:
    """
    Yield points as lines of CSV while they come, after a line with the names of the columns.

    These are ``t`` and ``d``; or, if the first value is an object, ``t`` and each of its keys.

    Raises:
        LocalProtocolError: The first value is an object, and another one is none or has a further key.
    """
    coming = iter(points)
    first = list(islice(coming, 1))
    names = _names(first[0].get("d")) if first else None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")

    def line(cells: Iterable[str]) -> bytes:
        text.seek(0)
        text.truncate()
        writer.writerow(cells)
        return text.getvalue().encode()

    yield line(["t", *(names or ["d"])])
    for point in chain(first, coming):
        value = point.get("d")
        if names is None:
            cells = [value]
        elif isinstance(value, dict) and value.keys() <= set(names):
            cells = [value.get(name) for name in names]
        else:
            raise LocalProtocolError(
                f"the value at t={point.get('t', 0.0)!r} has other columns than the first, which has {cut(', '.join(names), 80)}: "
                "CSV has the same in each line; JSON and Parquet take any"
            )
        yield line([json_text.dumps(point.get("t", 0.0)).decode(), *map(cell_of, cells)])


def _names(value: Any) -> list[str] | None:
    """Return the keys of a value that become columns; `None` if such values are written into one column, ``d``."""
    spread = isinstance(value, dict) and value and "t" not in value and list(value) != ["d"]
    return list(value) if spread and all(map(_is_name, value)) else None


def _is_name(key: str) -> bool:
    """Tell whether a key can be the name of a column, which is read back without spaces around it."""
    return bool(key) and key == key.strip() and HARD.isdisjoint(key)


def write_csv(points: Iterable[Datapoint], file: str | os.PathLike[str]) -> None:
    """
    Write points to a CSV file while they come. If that fails, a file that was there before is unchanged.

    Raises:
        LocalProtocolError: As `csv_lines`.
    """
    with replacing(file) as opened:
        opened.writelines(csv_lines(points))
