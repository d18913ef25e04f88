"""Points as text: read out of JSON lines, JSON arrays and CSV of any length, as it comes; and written as JSON lines or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, BinaryIO

from ..exceptions import LocalProtocolError
from ..protocol import json_text
from ..protocol.json_arrays import elements
from ..protocol.points import Datapoint
from ..protocol.times import in_iso

#: Bytes that are read at once, and the most that a line may have.
_BLOCK, _LONGEST = 1 << 16, 1 << 24

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WORDS = {"": None, "null": None, "true": True, "false": False}


def points(file: BinaryIO, before_waiting: Callable[[], Any] = lambda: None) -> Iterator[Datapoint]:
    """
    Yield the points in a file, holding no more of it than a block, or a line.

    Args:
        file: JSON objects, a line each or in an array, or CSV.
        before_waiting: Called before each time that more of it is read.

    Raises:
        ValueError: It has something else in it; the message says in which line, or which point.
    """
    blocks = _blocks(file, before_waiting)
    head = b""
    for block in blocks:
        head += block
        if head.removeprefix(_BYTE_ORDER_MARK).strip() and not _BYTE_ORDER_MARK.startswith(head):
            break
    head = head.removeprefix(_BYTE_ORDER_MARK)
    text = chain([head], blocks)
    if head.lstrip().startswith(b"["):
        return _array(text)
    return _objects(text) if head.lstrip().startswith(b"{") else _table(text)


def LINE(point: Datapoint) -> bytes:
    """Return a point as a line of JSON."""
    return json_text.dumps(point) + b"\n"


def _blocks(file: BinaryIO, before_waiting: Callable[[], Any]) -> Iterator[bytes]:
    # read1: what there is, and not as much as fits
    read = getattr(file, "read1", file.read)
    while True:
        before_waiting()
        block = read(_BLOCK)
        if not block:
            return
        yield block


# --- JSON -------------------------------------------------------------------------------------------------------------


def _array(text: Iterator[bytes]) -> Iterator[Datapoint]:
    number = 0
    found = elements(text, _LONGEST)
    while True:
        try:
            element, _ = next(found)
        except StopIteration:
            return
        except ValueError as error:
            raise ValueError(f"point {number}: {error}") from error
        yield _point(element, f"point {number}")
        number += 1


def _objects(text: Iterator[bytes]) -> Iterator[Datapoint]:
    for number, line in _lines(text):
        if line.strip():
            try:
                value = json_text.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number}: no JSON: {error}") from error
            yield _point(value, f"line {number}")


def _lines(text: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a text, with their ends, counted from 1."""
    number, rest = 0, b""
    for block in text:
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            number += 1
            yield number, line + b"\n"
        if len(rest) > _LONGEST:
            raise ValueError(f"line {number + 1}: of more than {_LONGEST} bytes")
    if rest:
        yield number + 1, rest


def _point(value: Any, where: str) -> Datapoint:
    if not isinstance(value, dict) or type(value.get("t", 0.0)) not in (int, float):
        raise ValueError(f'{where}: {str(value)[:60]!r} is no point: expected an object with "t", a number, and "d"')
    return {"t": value.get("t", 0.0), "d": value.get("d")}


# --- CSV --------------------------------------------------------------------------------------------------------------


def _table(text: Iterator[bytes]) -> Iterator[Datapoint]:
    reader = csv.reader(line.decode() for _, line in _lines(text))
    names: list[str] | None = None
    while True:
        try:
            row = next(reader, None)
            if row is None:
                return
            if not any(map(str.strip, row)):
                continue
            if names is None:
                names = _names(row)
                if names is row:
                    continue
            yield _of_row(names, row)
        except (ValueError, csv.Error) as error:
            raise ValueError(f"line {reader.line_num}: {error}") from error


def _names(first: list[str]) -> list[str]:
    """Return the names of the columns: the first line itself, if these stand there."""
    if "t" in first:
        repeated = sorted({name for name in first if first.count(name) > 1})
        if repeated:
            raise ValueError(f"two columns are called {repeated[0]!r}")
        return first
    if len(first) != 2:
        raise ValueError(
            f"{','.join(first)[:60]!r} is neither a point nor a line of names: expected a time and a value, "
            "or names of columns, of which one is t"
        )
    return ["t", "d"]


def _of_row(names: list[str], row: list[str]) -> Datapoint:
    if len(row) != len(names):
        raise ValueError(f"{len(row)} cells, where the first line has {len(names)}")
    cells = dict(zip(names, row, strict=True))
    t = _time(cells.pop("t").strip())
    if cells.keys() == {"d"}:
        return {"t": t, "d": _value(cells["d"])}
    return {"t": t, "d": {name: _value(cell) for name, cell in cells.items()}}


def _time(cell: str) -> float:
    number = _number(cell)
    if number is not None:
        return number
    try:
        return in_iso(cell)
    except ValueError:
        raise ValueError(f"{cell[:60]!r} is no time: expected seconds since 1970, or ISO 8601 text") from None


def _value(cell: str) -> Any:
    """Return what a cell says: a number, a truth value, nothing, a list or an object, or else the text itself."""
    stripped = cell.strip()
    if stripped in _WORDS:
        return _WORDS[stripped]
    number = _number(stripped)
    if number is not None:
        return number
    if stripped[0] in "[{":
        try:
            return json_text.loads(stripped)
        except ValueError:
            return cell
    return cell


def _number(cell: str) -> float | None:
    # float() takes more than these: names of infinities, underscores
    if not cell or not cell.isascii() or cell.strip("0123456789+-.eE"):
        return None
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if abs(number) != float("inf") else None


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
            LocalProtocolError: Its value has other columns than the first one.
        """
        value = point["d"]
        if not self._begun:
            self._begun = True
            self._names = list(value) if isinstance(value, dict) and value and "t" not in value else None
            self._writer.writerow(["t", *(self._names or ["d"])])
        if self._names is None:
            cells = [value]
        elif isinstance(value, dict) and value.keys() == set(self._names):
            cells = [value[name] for name in self._names]
        else:
            raise LocalProtocolError(
                f"the result at {point['t']!r} has other columns than the first, {', '.join(self._names)}: print it without --csv"
            )
        self._writer.writerow([_time_cell(point["t"]), *map(_cell, cells)])
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode()


def _time_cell(t: float) -> str:
    return json_text.dumps(t).decode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json_text.dumps(value).decode()
