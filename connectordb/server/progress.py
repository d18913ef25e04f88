"""Telling how far something that takes long has come."""

from __future__ import annotations

from collections.abc import Callable

#: Told what is being done, how much of it is done, and how much there is (0: that is not known).
Progress = Callable[[str, int, int], object]


def untold(what: str, done: int, all: int) -> None:
    """Tell nobody."""
