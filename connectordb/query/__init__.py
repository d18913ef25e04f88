"""
Queries over several streams: `Merge` joins them into one series, `Dataset` makes a table of them.

Both build a query, check it for what a server would refuse, and send it in one request. If lists of points are among the streams,
they run here instead, by the same rules. `pipe` writes values into scripts for either. Nothing here knows sockets or HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .dataset import Dataset
from .merge import Merge

if TYPE_CHECKING:
    from ..pipescript import pipe

__all__ = ["Dataset", "Merge", "pipe"]


def __getattr__(name: str) -> Any:
    """Import `pipe`, and with it the language, when it is asked for."""
    if name == "pipe":
        from ..pipescript import pipe

        return pipe
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
