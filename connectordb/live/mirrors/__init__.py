"""
Mirrors: the newest points of a stream, or of each stream of a device, kept up to date here.

Users read `Mirror` and `DeviceMirror`; `mirror_stream` and `mirror_device` make them, fed by subscriptions. Reading a mirror never
asks the server: only `feeding` knows that there is one.
"""

from __future__ import annotations

from .device_mirror import DeviceMirror
from .feeding import mirror_device, mirror_stream
from .listeners import Listener
from .mirror import Mirror

__all__ = ["DeviceMirror", "Listener", "Mirror", "mirror_device", "mirror_stream"]
