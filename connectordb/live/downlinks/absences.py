"""Which commands came while there was no connection: not those that waited for the callback when it was lost. Pure."""

from __future__ import annotations


class Absences:
    """The stretches of a downlink that were written while nobody here was told; at first, all of it."""

    def __init__(self) -> None:
        #: What was told before the connection was lost that there is not, or not again yet: it ends before this index.
        self._known: int | None = 0
        self._stretches: list[range] = []

    def left(self, known: int) -> None:
        """Note that the connection is lost, and that all before index *known* was told."""
        if self._known is None:
            self._known = known

    def back(self, length: int) -> None:
        """Note that there is a connection, from when on all is told that comes behind index *length*."""
        if self._known is not None and self._known < length:
            self._stretches.append(range(self._known, length))
        self._known = None

    def until(self, index: int) -> int | None:
        """
        Return the index behind the last command that came in the same absence as that at *index*; `None` if that was told.

        Commands are asked for in order: what lies before is forgotten.
        """
        self._stretches = [stretch for stretch in self._stretches if stretch.stop > index]
        return next((stretch.stop for stretch in self._stretches if index in stretch), None)

    def forget(self) -> None:
        """Forget all: indices no longer mean what they did."""
        self._stretches.clear()
