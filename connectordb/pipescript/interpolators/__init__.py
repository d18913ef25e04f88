"""
Interpolators: a sequence of points made into a function of time, which the columns of datasets are.

Such a function is asked at times that do not go back, and holds no more than a point or two. One family a file; here, what
they are called. No name takes arguments.
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

#: Asked with a time, it returns the column's value then.
Column = Callable[[float], Any]

#: Asked with points, it returns what makes a column of them.
Interpolator = Callable[[Iterable[Point]], Column]


class Named(NamedTuple):
    """
    An interpolator with its name.

    Attributes:
        name: What it is called.
        description: What it does, in a sentence.
        make: Makes a column of points.
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
    Return the interpolator called *text*; where none is, what the last result of *text* as a script is over each window.

    A `Script` is one whatever its text, with a time zone and limits of its own.

    Raises:
        PipeScriptError: It is neither.
    """
    if isinstance(text, Script):
        return scripted(text)
    named = INTERPOLATORS.get(text)
    return named.make if named else scripted(Script(text, tz=tz, limits=limits))
