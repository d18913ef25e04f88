"""
Interpolators: a sequence of points made into a function of time, which the columns of datasets are.

Such a function is asked at times that do not go back, and holds no more than a point or two. One family a file; here, what
they are called. No name takes arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Point
from .nearest import after, before, closest
from .windows import count, mean, total

#: Asked with a time, it returns the column's value then.
Column = Callable[[float], Any]

#: Asked with points, it returns what makes a column of them.
Interpolator = Callable[[Iterable[Point]], Column]

INTERPOLATORS: Mapping[str, Interpolator] = {
    "before": before,
    "after": after,
    "closest": closest,
    "count": count,
    "sum": total,
    "mean": mean,
}


def interpolator(name: str) -> Interpolator:
    """
    Return the interpolator called *name*.

    Raises:
        PipeScriptError: There is none.
    """
    try:
        return INTERPOLATORS[name]
    except KeyError:
        raise PipeScriptError(f"no interpolator is called {name!r}; there are {', '.join(INTERPOLATORS)}") from None
