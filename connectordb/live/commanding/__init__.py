"""
The commanding side of downlinks: writing a command, knowing it again, and hearing what became of it.

`command` does all of it. How the device's side handles commands, and records its answers, is not known here: both meet in
``protocol/answers.py``.
"""

from __future__ import annotations

from .command import command

__all__ = ["command"]
