"""Reporting the progress of work that takes long."""

from __future__ import annotations

from collections.abc import Callable

#: Called with what is being done, how much of it is done, and how much there is in all (0 if that is not known).
Progress = Callable[[str, int, int], object]


def untold(what: str, done: int, all: int) -> None:
    """Report progress to nobody."""
