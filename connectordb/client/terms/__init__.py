"""
The terms of a call: how long it may take, how often it is sent, what became of it and what it has cost.

Values, and what is decided by them; nothing here sends anything, or waits.
"""

from __future__ import annotations

from .retry import DOUBTFUL, Fate, Kind, Retry, Verdict, fate_of, judge, kind_of
from .statistics import Statistics, Stats
from .timeouts import IDLE_TIMEOUT, POOL_SIZE, Timeout
from .trace import Trace

__all__ = [
    "DOUBTFUL",
    "IDLE_TIMEOUT",
    "POOL_SIZE",
    "Fate",
    "Kind",
    "Retry",
    "Statistics",
    "Stats",
    "Timeout",
    "Trace",
    "Verdict",
    "fate_of",
    "judge",
    "kind_of",
]
