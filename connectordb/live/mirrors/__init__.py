"""
Mirrors: the newest points of a stream, or of each stream of a device, held up to date here.

`Mirror` and `DeviceMirror` are what users read; `mirror_stream` and `mirror_device` make those that subscriptions feed. What is
read of a mirror never asks the server: nothing here but `feeding` knows one.
"""

from __future__ import annotations

from .device_mirror import DeviceMirror
from .feeding import mirror_device, mirror_stream
from .listeners import Listener
from .mirror import Mirror

__all__ = ["DeviceMirror", "Listener", "Mirror", "mirror_device", "mirror_stream"]
