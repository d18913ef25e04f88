"""Tables of points for people to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from math import isfinite
from typing import Any

from ..plain_text import cut
from ..protocol import json_text
from ..protocol.points import Datapoint
from .sheet import Sheet
from .sparkline import sparkline

#: How many rows are shown at either end of a long list.
_ENDS = 5

#: The most characters of a value.
_WIDTH = 80


def of_points(points: Sequence[Datapoint], title: str, total: int | None = None, first: int = 0) -> Sheet:
    """
    Return a table of points; of many, only the first and the last ones.

    Args:
        points: The points.
        title: The title of the table.
        total: How many points there are, if these are not all.
        first: The index of the first one.
    """
    shown = list(enumerate(points, first))
    is_cut = len(shown) > 2 * _ENDS
    if is_cut:
        shown = shown[:_ENDS] + shown[-_ENDS:]
    rows = [(str(number), _time(point.get("t", 0.0)), _value(point.get("d"))) for number, point in shown]
    if is_cut:
        rows.insert(_ENDS, ("⋮", "⋮", "⋮"))
    count = len(points) if total is None else total
    values: list[Any] = [point.get("d") for point in points]
    notes = [f"{count:,} datapoint{'' if count == 1 else 's'}"]
    if line := _line(values):
        notes.append(line)
    return Sheet(title, ("", "t, local time", "d"), tuple(rows), " · ".join(notes), frozenset((0,)))


def of_several(several: Mapping[str, Sequence[Datapoint]], title: str) -> Sheet:
    """Return a table with a row for each of several lists of points: their number, the newest one, and a sparkline."""
    rows = []
    for name, points in several.items():
        newest = points[-1] if points else {}
        shown = (_time(newest.get("t", 0.0)), _value(newest.get("d"))) if points else ("", "")
        rows.append((name, f"{len(points):,}", *shown, _line([point.get("d") for point in points], 20)))
    return Sheet(title, ("", "datapoints", "newest, local time", "d", ""), tuple(rows), "", frozenset((1,)))


def _line(values: list[Any], width: int = 40) -> str:
    """Return a sparkline of at most *width* characters if the values are numbers; otherwise an empty text."""
    if len(values) > 1 and all(type(value) in (int, float) and isfinite(value) for value in values):
        return sparkline([float(value) for value in values], width)
    return ""


def _time(t: Any) -> str:
    try:
        moment = datetime.fromtimestamp(t, timezone.utc).astimezone()
    except (OverflowError, ValueError, OSError, TypeError):
        return str(t)
    text = moment.strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{moment.microsecond // 1000:03}" if moment.microsecond >= 1000 else text


def _value(value: Any) -> str:
    try:
        text = value if isinstance(value, str) else json_text.dumps(value).decode()
    except (ValueError, TypeError):
        text = repr(value)
    return cut(text, _WIDTH)
