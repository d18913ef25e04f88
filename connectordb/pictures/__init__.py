"""
Points as pictures: what kind of picture values ask for, which of them stand together, and as many points as pixels can show.

matplotlib is imported here and nowhere else, when something is drawn; it comes with the extra ``plot``. All else is pure and needs no
library: the command line draws with it in a terminal. Nothing here knows a server: what comes is points, or columns of them.
"""

from __future__ import annotations

from .chart import plot, png
from .panels import Panel, panels
from .rows import Bar, Row, rows
from .series import Kind, Series, below, of_columns, of_points
from .thinning import thinned

__all__ = [
    "Bar",
    "Kind",
    "Panel",
    "Row",
    "Series",
    "below",
    "of_columns",
    "of_points",
    "panels",
    "plot",
    "png",
    "rows",
    "thinned",
]
