"""
What outlives the process: the place in a stream, in a small file with one holder.

No subscription lives here, and nothing that knows a server.
"""

from __future__ import annotations

from .place import Place
from .remember import Remembered

__all__ = ["Place", "Remembered"]
