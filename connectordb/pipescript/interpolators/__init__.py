"""
Interpolators: they turn a sequence of points into a function of time, which is a column of a dataset.

Such a function is called with times that never go back, and holds no more than one or two points. There is one file for each
family, and the names are given here. None of them takes arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ..ahead import Point
from ..limits import Limits
from ..script import Script
from .nearest import after, before, closest
from .scripts import scripted
from .windows import count, mean, total

#: Called with a time, returns the column's value at that time.
Column = Callable[[float], Any]

#: Called with points, returns a column.
Interpolator = Callable[[Iterable[Point]], Column]


class Named(NamedTuple):
    """
    An interpolator that has a name.

    Attributes:
        name: Its name.
        description: What it does, in a sentence.
        make: The interpolator.
    """

    name: str
    description: str
    make: Interpolator


INTERPOLATORS: Mapping[str, Named] = {
    named.name: named
    for named in (
        Named("before", "The last datapoint at or before the time of the row", before),
        Named("after", "The first datapoint after the time of the row", after),
        Named("closest", "The datapoint closest to the time of the row, of two as close the earlier", closest),
        Named("count", "The number of datapoints since the row before", count),
        Named("sum", "The sum of the datapoints since the row before", total),
        Named("mean", "The mean of the datapoints since the row before, 0 if there are none", mean),
    )
}


_LIMITS = Limits()


def interpolator(text: str | Script, tz: str = "", limits: Limits = _LIMITS) -> Interpolator:
    """
    Return an interpolator.

    Args:
        text: Its name; or a script, whose last result for the points since the row before is the value of a row. A `Script` is
            never taken for a name, and has its own time zone and limits.
        tz: The name of the time zone that "Local" means in a script; by default this machine's.
        limits: What a script may take.

    Raises:
        PipeScriptError: *text* is neither a name nor a valid script.
    """
    if isinstance(text, Script):
        return scripted(text)
    named = INTERPOLATORS.get(text)
    return named.make if named else scripted(Script(text, tz=tz, limits=limits))
