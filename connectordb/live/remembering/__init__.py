"""
What outlives the process: the place in a stream, in a small file that one subscription at a time holds.

Nothing here knows a subscription or a server.
"""

from __future__ import annotations

from .place import Place
from .remember import Remembered

__all__ = ["Place", "Remembered"]
