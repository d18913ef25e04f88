"""What became of a row, by the id under which it was accepted. Only SQL; the layout is in `upgrade`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from ...runtime import sqlite
from ..file import MASK, NUMBER_BITS
from . import fate
from .cache_file import CacheFile

#: What may be said of a point that was accepted.
State = Literal["waiting", "stored", "set aside", "dropped"]

_WAITING = "SELECT p.t, p.id & ?2 <= s.held FROM point p JOIN stream s ON s.id = p.id >> ?3 WHERE p.id = ?1"
_ASIDE = "SELECT t, reason FROM rejected WHERE id = ?"


class Trace(NamedTuple):
    """
    What is known of a row.

    Attributes:
        id: The id that it has now.
        t: Its time; ``None`` if it is gone, as its time is then no longer known.
        reason: Why it was set aside.
        is_final: Whether none of this can change any more.
    """

    id: int
    state: State
    t: float | None = None
    reason: str | None = None
    is_final: bool = False


class Tracing:
    """What became of the rows of a cache file."""

    def __init__(self, file: CacheFile) -> None:
        self._file = file

    def look(self, id: int) -> Trace:
        """Return what became of the row that had *id*."""
        with self._file.reading() as connection:
            # a row only goes from one of these places to a later one, or gets another id, so it cannot slip through in between
            while True:
                if row := sqlite.first(connection, _WAITING, (id, MASK, NUMBER_BITS)):
                    t, held = row
                    return Trace(id, "stored" if held else "waiting", t)
                if row := sqlite.first(connection, _ASIDE, (id,)):
                    t, reason = row
                    return Trace(id, "set aside", t, reason)
                now = fate.trace(connection, id)
                if now is None:
                    return Trace(id, "dropped", is_final=True)
                if now == id:
                    return Trace(id, "stored", is_final=True)
                id = now

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for *seconds* at most until *condition*, which looks at rows, is true; tell whether it is."""
        return self._file.changes.wait(condition, seconds)
