"""
What clocks are worth: the eras of the wall clock, which clock is right, and which times points get because of that. No file, no server.
"""

from __future__ import annotations

from .arrangement import Arrangement, Bounds, Point, arrange, room_below
from .eras import STEP, Eras
from .judgement import PLAUSIBLE, Clocks, Era, corrections, implausible, judge

__all__ = [
    "Arrangement",
    "Bounds",
    "Clocks",
    "Era",
    "Eras",
    "PLAUSIBLE",
    "Point",
    "STEP",
    "arrange",
    "corrections",
    "implausible",
    "judge",
    "room_below",
]
