"""How far the commands of a downlink have come: in memory, and in a remember file if there is one."""

from __future__ import annotations

import logging
from typing import Any

from ...exceptions import ConnectorDBError, StorageDamaged
from ...protocol.points import Datapoint
from ..remembering import Place, Remembered
from .owed import Debt

log = logging.getLogger(__name__)


class Ledger:
    """
    Which commands are handled, which one is begun, and what is owed.

    Args:
        remembered: The remember file; without one, all this ends with the process.

    Attributes:
        place: How far commands have been handled; `None` if none ever was.
        debt: What is owed, for one command; `None` if nothing is.
        doubted: Whether what is owed may have been written already.

    Raises:
        StorageDamaged: What the file says makes no sense.
    """

    def __init__(self, remembered: Remembered | None = None) -> None:
        self._remembered = remembered
        self.place: Place | None = None
        self.debt: Debt | None = None
        self.doubted = False
        #: The command that was interrupted, here or by the end of the process before: its index, time and series.
        self._begun: tuple[int, float, str] | None = None
        if remembered is not None:
            self._recall(remembered)

    @property
    def outlives(self) -> bool:
        """Whether the next process will know all this."""
        return self._remembered is not None

    def has_handled(self, index: int | None, series: str) -> bool:
        """Tell whether a command has been handled."""
        place = self.place
        return index is not None and place is not None and index < place.next and _fits(series, place.series)

    def was_interrupted(self, index: int | None, point: Datapoint, series: str) -> bool:
        """Tell whether this is the command that was begun and then interrupted; the note on that is dropped."""
        begun, self._begun = self._begun, None
        if begun is None:
            return False
        if begun[:2] == (index, point.get("t", 0.0)) and _fits(begun[2], series):
            return True
        log.warning("command %d, which was begun before, is no longer there", begun[0])
        return False

    def begin(self, index: int | None, point: Datapoint, series: str) -> None:
        """Note that a command is about to be acted on."""
        if index is None:
            return
        place = self.place
        if place is None or place.next != index or not _fits(place.series, series):
            place = Place(index, None, series)  # the commands in between were handled elsewhere, or are gone
        self._save(place, {"begun": [index, point.get("t", 0.0), series]}, flush=True)

    def interrupt(self, index: int | None, point: Datapoint, series: str) -> None:
        """Note that a command which was begun was interrupted."""
        if index is not None:
            self._begun = (index, point.get("t", 0.0), series)

    def owe(self, behind: Place | None, debt: Debt, flush: bool) -> None:
        """Note what is owed for the command before *behind*."""
        if debt.command is not None:
            self._save(behind, {"owed": debt.to_json()}, flush)
        self.debt, self.doubted = debt, False

    def change(self, debt: Debt, flush: bool = True) -> None:
        """Note what is owed now."""
        if debt.command is not None:
            self._save(self.place, {"owed": debt.to_json()} if debt else None, flush)
        self.debt = debt or None

    def handled(self, behind: Place | None, flush: bool) -> None:
        """Note that all commands before *behind* are handled, and nothing is owed for them."""
        if behind is not None:
            self._save(behind, None, flush)

    def rewind(self, place: Place) -> None:
        """Note that exactly the commands before *place* are handled, whatever was noted before."""
        self._begun = None
        self._save(place, None if self.debt is None else {"owed": self.debt.to_json()}, flush=True)

    def close(self) -> None:
        """Leave the file to others; calling it twice does nothing."""
        if self._remembered is not None:
            self._remembered.close()

    def _recall(self, remembered: Remembered) -> None:
        self.place = remembered.place
        work: dict[str, Any] = remembered.work or {}
        try:
            if "begun" in work:
                index, t, series = work["begun"]
                self._begun = (int(index), float(t), str(series))
            if "owed" in work:
                self.debt, self.doubted = Debt.from_json(work["owed"]), True
        except (ConnectorDBError, KeyError, TypeError, ValueError) as error:
            raise StorageDamaged(f"{remembered!r} says what makes no sense ({error!r})") from error

    def _save(self, place: Place | None, work: dict[str, Any] | None, flush: bool) -> None:
        if self._remembered is not None:
            self._remembered.save(place, work, flush=flush)
        self.place = place


def _fits(series: str, other: str) -> bool:
    """Tell whether both may be of one stream; ``""`` fits any, as a server may have begun, or ceased, to say."""
    return not (series and other) or series == other
