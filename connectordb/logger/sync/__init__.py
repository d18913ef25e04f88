"""
Bringing what waits to the server: deciding what to do next (`plan`), doing it, pass after pass, and when to do it. There is no SQL here.
"""

from __future__ import annotations

from .links import Links, check_address
from .sending import value
from .streams import OnSchema, Stream, bring_to_server, device, is_away, take_over
from .syncing import LOCK_WAIT, Syncing

__all__ = [
    "LOCK_WAIT",
    "Links",
    "OnSchema",
    "Stream",
    "Syncing",
    "bring_to_server",
    "check_address",
    "device",
    "is_away",
    "take_over",
    "value",
]
