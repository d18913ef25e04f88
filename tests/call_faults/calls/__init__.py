"""The calls, by label: all that touch the network. `tests.call_faults.surface` tells whether one is missing."""

from __future__ import annotations

from .call import KINDS, Call
from .changing import CHANGING
from .inserting import INSERTING
from .live import LIVE
from .reading import READING

#: Every call that touches the network.
CALLS: dict[str, Call] = {call.label: call for call in (*READING, *CHANGING, *INSERTING, *LIVE)}

__all__ = ["CALLS", "KINDS", "Call"]
