"""
What is done with points that are handed on: calling the callback, running a script over them, handling commands.

Where they come from is nobody's business here.
"""

from __future__ import annotations

from .batch import Batch
from .claims import Claims, CommandKey
from .handing import Downlink, Handler, Points, Transformed

__all__ = ["Batch", "Claims", "CommandKey", "Downlink", "Handler", "Points", "Transformed"]
