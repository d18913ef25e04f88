"""
What a cache file holds, and every way to change it: SQL, with one idea to a file. `Store` puts them together. No server is known here.
"""

from __future__ import annotations

from .cache_file import Durability
from .corrections import Corrections
from .delivery import Delivery
from .noting import Begun
from .packing import Packed
from .status import Activity, Mended, Status, StreamStatus
from .store import Store
from .tracing import State, Trace, Tracing

__all__ = [
    "Activity",
    "Begun",
    "Corrections",
    "Delivery",
    "Durability",
    "Mended",
    "Packed",
    "State",
    "Status",
    "Store",
    "StreamStatus",
    "Trace",
    "Tracing",
]
