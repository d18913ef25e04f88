"""
As many points as pixels can show.

A million points drawn one by one take seconds, and the picture is the same as of the lowest and the highest, the first and the last of
those that fall on each column of pixels. So no peak is lost, whatever it is drawn on.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from math import isnan, nan

from .series import Series


def thinned(series: Series, columns: int) -> tuple[array[float], array[float]]:
    """
    Return times and values of which the picture is the same as of all.

    Args:
        series: Numbers or booleans.
        columns: Into how many columns of pixels its range of time goes. Of each remain four points at most; if there are no more
            than that in all, they are returned as they are.
    """
    times, values = series.times, series.numbers
    if len(times) <= 4 * columns:
        return times, values
    thin_times, thin_values = array("d"), array("d")
    for begin, end in parts(times, columns):
        part = values[begin:end]
        low, high = min(part), max(part)
        if isnan(sum(part)):  # a null among them
            known = [value for value in part if not isnan(value)] or [nan]
            low, high = min(known), max(known)
        thin_times.extend((times[begin], times[begin], times[end - 1], times[end - 1]))
        thin_values.extend((part[0], low, high, part[-1]))
    return thin_times, thin_values


def parts(times: array[float], columns: int) -> Iterator[tuple[int, int]]:
    """Yield from where to where the points of each column of pixels go, where there are any."""
    if not times:
        return
    first, last = times[0], times[-1]
    begin = 0
    for column in range(1, columns):
        end = bisect_left(times, first + (last - first) * (column / columns), begin)
        if end > begin:
            yield begin, end
            begin = end
    yield begin, len(times)
