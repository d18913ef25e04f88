"""
Reduces points to as many as the pixels can show.

Drawing a million points takes seconds. The picture is the same with only the first, the lowest, the highest and the last point in each
column of pixels; no peak is lost.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from math import isnan, nan

from .series import Series


def thinned(series: Series, columns: int) -> tuple[array[float], array[float]]:
    """
    Return fewer times and values that make the same picture.

    Args:
        series: A series of numbers or booleans.
        columns: The number of columns of pixels for its range of time. Up to four points remain in each; if there are no more than
            that in all, they are returned as they are.
    """
    times, values = series.times, series.numbers
    if len(times) <= 4 * columns:
        return times, values
    thin_times, thin_values = array("d"), array("d")
    for begin, end in parts(times, columns):
        part = values[begin:end]
        low, high = min(part), max(part)
        if isnan(sum(part)):  # there is a null among them
            known = [value for value in part if not isnan(value)] or [nan]
            low, high = min(known), max(known)
        thin_times.extend((times[begin], times[begin], times[end - 1], times[end - 1]))
        thin_values.extend((part[0], low, high, part[-1]))
    return thin_times, thin_values


def parts(times: array[float], columns: int) -> Iterator[tuple[int, int]]:
    """Yield, for each column of pixels in which there are points, the index of the first one and the index after the last one."""
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
