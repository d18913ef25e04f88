"""Damaged files: noticing damage, and mending it. What a Logger does with a sound file is elsewhere."""

from __future__ import annotations

from . import mending
from .health import check, vacuum

__all__ = ["check", "mending", "vacuum"]
