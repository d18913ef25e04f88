"""Which commands came while there was no connection; those that were already waiting for the callback do not count. Pure."""

from __future__ import annotations


class Absences:
    """The stretches of a downlink that were written while the server did not tell us; at first, all of it."""

    def __init__(self) -> None:
        #: While there is no connection: the server has told of everything before this index.
        self._known: int | None = 0
        self._stretches: list[range] = []

    def left(self, known: int) -> None:
        """Note that the connection is lost, and that the server has told of everything before index *known*."""
        if self._known is None:
            self._known = known

    def back(self, length: int) -> None:
        """Note that there is a connection, on which the server tells of everything from index *length* on."""
        if self._known is not None and self._known < length:
            self._stretches.append(range(self._known, length))
        self._known = None

    def until(self, index: int) -> int | None:
        """
        If the command at *index* came in an absence, return the index after the last command of that absence; otherwise `None`.

        To be asked for commands in order: what lies before *index* is forgotten.
        """
        self._stretches = [stretch for stretch in self._stretches if stretch.stop > index]
        return next((stretch.stop for stretch in self._stretches if index in stretch), None)

    def forget(self) -> None:
        """Forget all absences: indices no longer mean what they did."""
        self._stretches.clear()
