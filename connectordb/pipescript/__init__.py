"""
The transform language's room: what is computed from points, over plain iterables of ``{"t", "d"}``; pure, and lazy.

Here are interpolators, datasets and merging, which the server runs. What asks a server for them is in ``query``.
"""

from .ahead import Point
from .datasets import Columns, merge, tdataset, xdataset
from .interpolators import INTERPOLATORS, Column, Interpolator, interpolator

__all__ = [
    "INTERPOLATORS",
    "Column",
    "Columns",
    "Interpolator",
    "Point",
    "interpolator",
    "merge",
    "tdataset",
    "xdataset",
]
