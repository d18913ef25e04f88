"""
The terms of a call: how long it may take, how often it is sent, what became of it and what it has cost.

Values, and what is decided by them; nothing here sends anything, or waits. What users set is loaded with the room; the rest, which is
needed when something is sent, is entered by file.
"""

from __future__ import annotations

from .retry import Retry
from .timeouts import IDLE_TIMEOUT, POOL_SIZE, Timeout

__all__ = ["IDLE_TIMEOUT", "POOL_SIZE", "Retry", "Timeout"]
