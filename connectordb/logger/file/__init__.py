"""
The cache file as a file: its layout, whose turn it is to write or to sync, when it is flushed, and what happens at a fork.
"""

from __future__ import annotations

from . import upgrade
from .callers import is_ours
from .changes import Changes
from .commits import Commits
from .counting import ACCEPTED, NEWEST, WAITING
from .flushing import Flushing
from .forks import FORKS
from .ids import MASK, NUMBER_BITS, base, number_of, span, stream_of
from .turn import Busy, Holder, Turn
from .upgrade import remove_unused

__all__ = [
    "ACCEPTED",
    "Busy",
    "Changes",
    "Commits",
    "FORKS",
    "Flushing",
    "Holder",
    "MASK",
    "NEWEST",
    "NUMBER_BITS",
    "base",
    "is_ours",
    "number_of",
    "remove_unused",
    "span",
    "stream_of",
    "Turn",
    "WAITING",
    "upgrade",
]
