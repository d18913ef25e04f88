"""
Queries over several streams: `Merge` puts them into one series, `Dataset` lines them up row by row.

Both build a query, check what the server would refuse, and send it in one request; with points at hand among the streams they
run here, by the same rules. `pipe` writes values into the scripts of either. Nothing here knows sockets or HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .dataset import Dataset
from .merge import Merge

if TYPE_CHECKING:
    from ..pipescript import pipe

__all__ = ["Dataset", "Merge", "pipe"]


def __getattr__(name: str) -> Any:
    """Return `pipe`, whose room is loaded when it is asked for."""
    if name == "pipe":
        from ..pipescript import pipe

        return pipe
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
