"""Reads points from text of any length while it comes: lines of JSON, a JSON array, or CSV."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import tzinfo
from itertools import chain
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..exceptions import LocalProtocolError
from ..plain_text import cut
from ..protocol import json_text
from ..protocol.json_arrays import elements
from ..protocol.points import Datapoint
from ..protocol.times import in_iso
from .cells import number_in, value_in

#: How many bytes are read at a time, and how many a line may have.
_BLOCK, _LONGEST = 1 << 16, 1 << 24

#: The keys that a point may have; ``o`` is who sent it.
_KEYS = frozenset("tdo")

#: The units of times that are numbers → how many of them are a second.
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def points(file: BinaryIO, before_waiting: Callable[[], Any] = lambda: None, unit: str = "s") -> Iterator[Datapoint]:
    """
    Yield the points in a file, with no more than a block or a line of it in memory.

    Args:
        file: JSON objects, one in each line or all in an array; or CSV.
        before_waiting: Called each time before more of it is read.
        unit: The unit of times that are numbers: ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``.

    Raises:
        LocalProtocolError: There is no such unit.
        ValueError: Something in it is no point; the message says in which line, or which point.
    """
    scale = _scale(unit)
    head, text = _without_mark(_blocks(file, before_waiting))
    if head.startswith(b"["):
        return _array(text, scale)
    return _objects(text, scale) if head.startswith(b"{") else _table(text, scale)


def read_csv(file: str | os.PathLike[str], tz: str | None = None, unit: str = "s") -> Iterator[Datapoint]:
    """
    Yield the points in a CSV file, with no more than a block or a line of it in memory.

    Args:
        file: It has a time and a value in each line; or the names of columns, one of them ``t``, in the first line.
        tz: The time zone of times without one; `None` for local time.
        unit: The unit of times that are numbers: ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``.

    Raises:
        LocalProtocolError: Something in it is no point, and the message says in which line; or there is no such time zone or unit.
    """
    zone, scale = None if tz is None else _zone(tz), _scale(unit)
    with open(os.fspath(file), "rb") as opened:
        try:
            yield from _table(_without_mark(_blocks(opened))[1], scale, zone)
        except ValueError as error:
            raise LocalProtocolError(f"{os.fspath(file)!r}: {error}") from error


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise LocalProtocolError(f"tz={name!r} is no time zone: expected a name as 'UTC' or 'Europe/Berlin'") from error


def _scale(unit: str) -> int:
    if unit not in _UNITS:
        raise LocalProtocolError(f"unit={unit!r:.60}: expected one of {', '.join(map(repr, _UNITS))}")
    return _UNITS[unit]


def _without_mark(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the beginning of a text, and all of it, both without a byte order mark, which some programs write."""
    head = b""
    for block in blocks:
        head += block
        if head.removeprefix(_BYTE_ORDER_MARK).strip() and not _BYTE_ORDER_MARK.startswith(head):
            break
    head = head.removeprefix(_BYTE_ORDER_MARK)
    return head.lstrip(), chain([head], blocks)


def _blocks(file: BinaryIO, before_waiting: Callable[[], Any] = lambda: None) -> Iterator[bytes]:
    # read1 returns what is there, without waiting for more
    read = getattr(file, "read1", file.read)
    while True:
        before_waiting()
        block = read(_BLOCK)
        if not block:
            return
        yield block


# --- JSON -------------------------------------------------------------------------------------------------------------


def _array(text: Iterator[bytes], scale: int) -> Iterator[Datapoint]:
    number = 0
    found = elements(text, _LONGEST)
    while True:
        try:
            element, _ = next(found)
        except StopIteration:
            return
        except ValueError as error:
            raise ValueError(f"point {number}: {error}") from error
        yield _point(element, f"point {number}", scale)
        number += 1


def _objects(text: Iterator[bytes], scale: int) -> Iterator[Datapoint]:
    for number, line in _lines(text):
        if line.strip():
            try:
                value = json_text.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number}: no JSON: {error}") from error
            yield _point(value, f"line {number}", scale)


class _LineTooLong(ValueError):
    """A line is longer than any that is read."""


def _lines(text: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a text, with their ends, counted from 1."""
    number, rest = 0, b""
    for block in text:
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            number += 1
            yield number, line + b"\n"
        if len(rest) > _LONGEST:
            raise _LineTooLong(f"line {number + 1}: of more than {_LONGEST} bytes")
    if rest:
        yield number + 1, rest


def _point(value: Any, where: str, scale: int) -> Datapoint:
    if not isinstance(value, dict) or type(value.get("t", 0.0)) not in (int, float):
        raise ValueError(f'{where}: {str(value)[:60]!r} is no point: expected an object with "t", a number, and "d"')
    if not value.keys() <= _KEYS:  # the value of another key would be lost
        unknown = next(key for key in value if key not in _KEYS)
        raise ValueError(
            f'{where}: a point has "t", its time in seconds, and "d", its value, and no {cut(unknown, 30)!r}'
        )
    t = value.get("t", 0.0)
    return {"t": t if scale == 1 else t / scale, "d": value.get("d")}


# --- CSV --------------------------------------------------------------------------------------------------------------


def _table(text: Iterator[bytes], scale: int, zone: tzinfo | None = None) -> Iterator[Datapoint]:
    # a cell may be as long as a line; the limit is that of the whole process, so it is never lowered
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    # strict: else a quote that is never closed makes one cell of all that follows
    reader = csv.reader((line.decode() for _, line in _lines(text)), strict=True)
    names: list[str] | None = None
    while True:
        begin = reader.line_num + 1
        try:
            row = next(reader, None)
            if row is None:
                return
            if not any(map(str.strip, row)):
                continue
            if names is None:
                names = _names(row)
                if "t" in map(str.strip, row):
                    continue
            yield _of_row(names, row, scale, zone)
        except UnicodeDecodeError as error:  # the reader has not counted this line yet
            raise ValueError(f"line {reader.line_num + 1}: it is not in UTF-8: {error}") from error
        except csv.Error as error:
            raise ValueError(
                f"line {begin}: no CSV: {error}; is each quote closed, and written twice inside of quotes?"
            ) from error
        except _LineTooLong:
            raise
        except ValueError as error:
            raise ValueError(f"line {reader.line_num}: {error}") from error


def _names(first: list[str]) -> list[str]:
    """Return the names of the columns: the cells of the first line if one of them is ``t``; if it is a point, ``t`` and ``d``."""
    names = [name.strip() for name in first]
    if "t" in names:
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"two columns are called {repeated[0]!r}")
        if "" in names:  # pandas writes the rows' numbers like this
            raise ValueError(f"column {1 + names.index('')} has no name: give it one, or leave it out")
        return names
    with suppress(ValueError):
        time, _ = first
        _time(time.strip(), 1, None)
        return ["t", "d"]
    raise ValueError(
        f"{','.join(first)[:60]!r} is neither a point nor a line of names: expected a time, a comma and a value, "
        "or names of columns, of which one is t"
    )


def _of_row(names: list[str], row: list[str], scale: int, zone: tzinfo | None) -> Datapoint:
    if len(row) != len(names):
        raise ValueError(f"{len(row)} cells, where the first line has {len(names)}")
    cells = dict(zip(names, row, strict=True))
    t = _time(cells.pop("t").strip(), scale, zone)
    if cells.keys() == {"d"}:
        return {"t": t, "d": value_in(cells["d"])}
    return {"t": t, "d": {name: value_in(cell) for name, cell in cells.items()}}


def _time(cell: str, scale: int, zone: tzinfo | None) -> float:
    number = number_in(cell)
    if number is not None:
        return number / scale
    try:
        return in_iso(cell, zone)
    except ValueError:
        raise ValueError(f"{cell[:60]!r} is no time: expected seconds since 1970, or ISO 8601 text") from None
