"""A file that is damaged: seeing it, and mending it. What a Logger does with a good one is not here."""

from __future__ import annotations

from . import mending
from .health import check, vacuum

__all__ = ["check", "mending", "vacuum"]
