"""
Points as pictures: what kind of picture fits the values, which series share an axis, and how many points the pixels can show.

Only this room imports matplotlib, when something is drawn; it comes with the extra ``plot``. Everything but ``chart`` is pure and needs
no library; the command line uses it to draw in a terminal. Nothing here asks a server; callers pass points, or columns of them.
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
