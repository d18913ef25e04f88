"""
The terms of a call: how long it may take, how often it is sent, what became of it, and what it has cost.

There are only values here, and decisions that follow from them; nothing sends or waits. This door has what users set. The rest is
needed only when something is sent, and imported by file.
"""

from __future__ import annotations

from .retry import Retry
from .timeouts import IDLE_TIMEOUT, POOL_SIZE, Timeout

__all__ = ["IDLE_TIMEOUT", "POOL_SIZE", "Retry", "Timeout"]
