"""Decides which series share a panel: there is one axis for each unit."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import NamedTuple

from .series import Kind, Series

#: A line that would take up less than this part of a panel's height looks flat, and gets another panel.
_FLAT = 1 / 20


class Panel(NamedTuple):
    """
    Series with one axis.

    Attributes:
        kind: The kind of all of them.
        unit: The unit of all of them; may be empty.
        series: The series; only one if they are texts.
    """

    kind: Kind
    unit: str
    series: list[Series]


def panels(series: Iterable[Series]) -> list[Panel]:
    """
    Return the panels of a picture, in the order of the first series of each.

    Numbers of the same unit share a panel. So do numbers without a unit, unless that would make one of them a flat line. All booleans
    share a panel. Each series of texts has its own, as it has many rows.
    """
    found: list[Panel] = []
    for each in series:
        panel = next((panel for panel in found if _fits(each, panel)), None)
        if panel is None:
            found.append(Panel(each.kind, each.unit, [each]))
        else:
            panel.series.append(each)
    return found


def _fits(series: Series, panel: Panel) -> bool:
    if series.kind is not panel.kind or series.kind is Kind.TEXTS:
        return False
    if series.kind is Kind.BOOLEANS:
        return True
    if series.unit or panel.unit:
        return series.unit == panel.unit
    ranges = [found for each in (*panel.series, series) if (found := _range(each)) is not None]
    if not ranges:
        return True
    lows, highs = zip(*ranges, strict=True)
    height = max(highs) / 2 - min(lows) / 2  # in halves, as the whole difference may be larger than any float
    return all(high == low or high / 2 - low / 2 >= height * _FLAT for low, high in ranges)


def _range(series: Series) -> tuple[float, float] | None:
    known = [value for value in series.numbers if isfinite(value)]
    return (min(known), max(known)) if known else None
