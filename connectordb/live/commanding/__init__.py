"""
The commanding side of downlinks: writing a command, recognising it later, and hearing what became of it.

`command` does all of that. This room does not know how the device's side handles commands and records its answers; both sides share
``protocol/answers.py``.
"""

from __future__ import annotations

from .command import command

__all__ = ["command"]
