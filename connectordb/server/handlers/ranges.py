"""From ranges of points, as the parameters of a read or the keys of a query give them, to indices of a series."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite

from ...protocol.refusals import INVALID_RANGE
from ..storage import Reader, Series
from .request import Refusal
from .scripts import Pending
from .sources import Source

_NO_RANGE = (
    'A range needs [both "i1" and "i2" int] or ["t1" and ["t2" decimal and/or "limit" int]]'  # as the original has it
)
_INTEGER = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*))")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_INFINITY = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_MAX = 2**63

#: The most characters of a number, as the expressions above take quadratic time for a text that is almost a number.
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Range:
    """
    A range of points.

    Attributes:
        by_index: Whether it goes by `i1` and `i2`, or else by `t1`, `t2` and `limit`.
        i1, i2: From index `i1` to before `i2`. Negative ones count from the end, and 0 for `i2` means the end.
        t1, t2: After time `t1`, up to and including `t2`. 0 and less mean the beginning and the end.
        limit: The most points; 0 for all.
    """

    by_index: bool = True
    i1: int = 0
    i2: int = 0
    t1: float = 0.0
    t2: float = 0.0
    limit: int = 0

    def bounds(self, reader: Reader, series: Series) -> tuple[int, int]:
        """
        Return the index of the first point, and the one after that of the last point.

        Raises:
            Refusal: A range by index ends before it begins.
        """
        if self.by_index:
            return index_bounds(reader.length(series), self.i1, self.i2)
        first = reader.index_after(series, self.t1) if self.t1 > 0 else 0
        last = reader.index_after(series, self.t2) if self.t2 > 0 else reader.length(series)
        last = max(first, last)
        return first, min(last, first + self.limit) if self.limit else last

    def source(self, reader: Reader, series: Series, script: Pending | None) -> Source:
        """
        Return the points, perhaps through a script; then the limit holds for the points that the script yields.

        Raises:
            Refusal: A range by index ends before it begins.
        """
        if script is None:
            return Source(series, *self.bounds(reader, series))
        return Source(series, *replace(self, limit=0).bounds(reader, series), script, self.limit)


def index_bounds(length: int, i1: int, i2: int) -> tuple[int, int]:
    """Return the indices that ``[i1, i2)`` means in a series of *length* points (``docs/topics/wire.rst``, "Ranges")."""
    if length == 0:
        # as on a 0.3 server, the rules for an empty series are more lenient
        if i1 > 0:
            raise Refusal(403, INVALID_RANGE)
        return 0, 0
    first = max(i1 + length, 0) if i1 < 0 else i1
    last = min(i2 + length if i2 <= 0 else i2, length)
    if last < first:
        raise Refusal(403, INVALID_RANGE)
    return first, last


def read_range(query: Mapping[str, str]) -> Range:
    """
    Return the range that the parameters of a read say. If there is an index, times and limit are ignored.

    Raises:
        Refusal: They say no range.
    """
    if query.get("i1") or query.get("i2"):
        return Range(True, _index(query, "i1"), _index(query, "i2"))
    if not (query.get("t1") or query.get("t2")):
        raise Refusal(400, _NO_RANGE)
    t1, t2 = (decimal(query.get(name) or "0") for name in ("t1", "t2"))
    text = query.get("limit") or "0"
    limit = None if text[0] in "+-" else _integer(text)
    if t1 is None or t2 is None or limit is None or limit >= 2 * _MAX:
        raise Refusal(400, _NO_RANGE)
    return Range(False, t1=t1, t2=t2, limit=limit)


def _index(query: Mapping[str, str], name: str) -> int:
    number = _integer(query.get(name) or "0")
    if number is None or not -_MAX <= number < _MAX:
        raise Refusal(400, f"Could not parse {name} parameter")
    return number


def _integer(text: str) -> int | None:
    """Return the integer that *text* says in decimal, hexadecimal or octal digits; `None` if it is none."""
    match = _INTEGER.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    sign, hexadecimal, octal, plain = match.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(plain) if plain else int(octal or "0", 8)
    return -number if sign == "-" else number


def decimal(text: str) -> float | None:
    """Return the time that *text* says, which may be infinite; `None` if it is none."""
    if len(text) > _LONGEST:
        return None
    if _INFINITY.fullmatch(text):
        return float(text)
    number = float(text) if _DECIMAL.fullmatch(text) else float("nan")
    return number if isfinite(number) else None
