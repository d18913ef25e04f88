"""Recovering rows and points from records that may be damaged: what makes sense is taken, in order, and the rest left. Pure."""

from __future__ import annotations

from dataclasses import fields
from math import isfinite
from typing import Any, TypeVar

from ...protocol import json_text
from ...protocol.paths import is_name
from .appends import INDEX_BITS, MOST_POINTS
from .chunks import encode
from .contract import Device, Stream, User
from .inspection import Stored, parts_of
from .packs import readable

Row = TypeVar("Row", User, Device, Stream)

_BETWEEN = b'},{"t":'

#: For each annotation of a column the type in which SQLite returns it.
_TYPES = {"int": int, "str": str, "bool": int}


def row_of(kind: type[Row], id: int, values: list[Any], *, strict: bool = False) -> Row | None:
    """
    Return the row that a record holds; `None` if it is no such row.

    Args:
        kind: What the row should be.
        id: The record's key.
        values: The record's columns.
        strict: The record may be from any table, so all its columns must be of the right type.
    """
    columns = fields(kind)
    if len(values) < len(columns) or id <= 0:
        return None
    row: dict[str, Any] = {"id": id}
    for column, value in zip(columns[1:], values[1:], strict=False):
        shape = _TYPES[str(column.type)]
        if type(value) is not shape or (column.type == "bool" and strict and value not in (0, 1)):
            if strict or shape is int and column.type == "int":
                return None
            value = "" if shape is str else 0
        row[column.name] = bool(value) if column.type == "bool" else value
    if strict and values[0] is not None:
        return None
    if not is_name(row["name"]):
        if strict:
            return None
        row["name"] = f"lost-{kind.__name__.lower()}-{id}"
    return kind(**row)


def chunk_of(id: int, values: list[Any], *, whole: bool = False) -> Stored | None:
    """Return the chunk that a record holds, without its data unless *whole*; `None` if it is no chunk."""
    if len(values) < (8 if whole else 7) or values[0] is not None:
        return None
    _, series, number, first_time, last_time, packed, before, *data = values
    first = id & (MOST_POINTS - 1)
    if not all(type(value) is int for value in (series, number, packed, before)) or id >> INDEX_BITS != series:
        return None
    # SQLite stores a float that is a whole number as an integer
    if (
        not all(type(value) in (int, float) for value in (first_time, last_time))
        or not 0 < number <= MOST_POINTS - first
    ):
        return None
    if whole and type(data[0]) is not bytes:
        return None
    return Stored(first, series, number, float(first_time), float(last_time), packed, before, data[0] if whole else b"")


class Salvager:
    """
    Recovers what it can from the chunks of one series, one after the other, in order of index and time.

    Attributes:
        length: The index after the last chunk that was taken or skipped.
        points: How many points were recovered.
    """

    def __init__(self) -> None:
        self.length = 0
        self.points = 0
        self._newest = float("-inf")

    def skip(self, index: int) -> None:
        """Skip what comes before *index*."""
        self.length = max(self.length, index)

    def take(self, chunk: Stored) -> bytes:
        """Return the text of those points of a chunk that are new and make sense, separated by commas."""
        number = chunk.number if isinstance(chunk.number, int) and 0 < chunk.number <= MOST_POINTS else 1
        known = max(self.length - chunk.first, 0)
        points = _points(chunk)
        # if the chunk overlaps with earlier ones, its new points can be identified only if none of its points is missing
        points = points[known:] if len(points) == number else points if not known else []
        kept = []
        last = chunk.last_time if isinstance(chunk.last_time, float) and chunk.last_time >= self._newest else None
        for point in points:
            t = float(point["t"])
            if t >= self._newest and (last is None or t <= last):
                self._newest = t
                kept.append(point)
        self.length = max(self.length, chunk.first + number)
        self.points += len(kept)
        return encode(kept, [float(point["t"]) for point in kept])


def _points(chunk: Stored) -> list[dict[str, Any]]:
    """Return the points of a chunk that can be read."""
    found: list[dict[str, Any]] = []
    try:
        for _, text, _ in parts_of(chunk):
            try:
                points = json_text.loads(b"[%b]" % text)
            except ValueError:
                points = _one_by_one(text)
            found += [point for point in points if _is_point(point)]
    except ValueError:
        if not isinstance(chunk.data, bytes) or not chunk.packed:
            return []
        return _before_damage(chunk.data, chunk.number)
    return found


def _before_damage(data: bytes, number: int) -> list[dict[str, Any]]:
    """Return the points of those parts of a damaged pack that agree with its table."""
    found: list[dict[str, Any]] = []
    for count, text, last_time in readable(data, number):
        try:
            points = json_text.loads(b"[%b]" % text)
        except ValueError:
            break
        if len(points) != count or not all(map(_is_point, points)) or points[-1]["t"] != last_time:
            break
        found += points
    return found


def _one_by_one(text: bytes) -> list[Any]:
    """Return the points that can be read in a damaged text, by decoding each one by itself."""
    found = []
    parts = text.split(_BETWEEN)
    for index, part in enumerate(parts):
        whole = (b'{"t":' if index else b"") + part + (b"}" if index < len(parts) - 1 else b"")
        try:
            found.append(json_text.loads(whole))
        except ValueError:
            continue
    return found


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, dict)
        and type(point.get("t")) in (int, float)
        and isfinite(point["t"])
        and set(point) <= {"t", "d", "o"}
        and isinstance(point.get("o", ""), str)
    )
