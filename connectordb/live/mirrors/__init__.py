"""
Mirrors: the newest points of a stream, or of each stream of a device, held up to date here.

`Mirror` is what users read; `mirror_stream` makes one that a subscription feeds. What is read of a mirror never asks the server:
nothing here but `feeding` knows one.
"""

from __future__ import annotations

from .feeding import mirror_stream
from .listeners import Listener
from .mirror import Mirror

__all__ = ["Listener", "Mirror", "mirror_stream"]
