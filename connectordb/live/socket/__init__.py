"""
The connection: one websocket, its frames, the thread that owns it, and how patient that thread is.

Nothing here knows what crosses the connection: the loop asks a handler what to send, and tells it what came.
"""

from __future__ import annotations

from .connection import Connection, Target
from .loop import Loop
from .patience import Timing

__all__ = ["Connection", "Loop", "Target", "Timing"]
