"""
An open cache file: its points, its notes, what was set aside, its streams and settings. Each of these is in a module of its own here.

Other processes may write to the same file at any time. So whatever is kept in memory about a stream is checked by the very
statement that relies on it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from ...runtime.clock import SYSTEM, Clock
from ..limits import Limits
from . import status
from .aside import Aside
from .bounds import Bounds
from .cache_file import CacheFile, Durability
from .catalogue import Catalogue
from .corrections import Corrections
from .delivery import Delivery, Goal
from .held import HeldBatches
from .notes import Notes
from .outcomes import Outcomes
from .points import Points
from .status import Activity, Status
from .tracing import Tracing

_NONE = Limits()


class Store:
    """
    An open cache file, for any number of threads.

    Args:
        path: Where it is.
        durability: What a power cut may take of what was inserted.
        bounds: The bounds of the file.
        clock: The clocks.

    Attributes:
        points: The points that wait.
        bounds: How many more may be added, and what gives way.
        notes: The batches that may have been sent.
        held: The batches that a server confirmed, and may still forget.
        aside: The points that were set aside.
        outcomes: How the last attempts to sync went.
        catalogue: Streams and settings.
        tracing: What became of a row.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        durability: Durability = "full",
        bounds: Limits = _NONE,
        clock: Clock = SYSTEM,
    ) -> None:
        self._file = CacheFile(path, durability)
        self.bounds = Bounds(self._file, bounds, clock)
        self.points = Points(self._file, self.bounds if bounds else None)
        self.notes = Notes(self._file)
        self.held = HeldBatches(self._file)
        self.aside = Aside(self._file)
        self.outcomes = Outcomes(self._file)
        self.catalogue = Catalogue(self._file)
        self.tracing = Tracing(self._file)

    def status(self, now: float, activity: Activity) -> Status:
        """Return what the file holds, as of one moment."""
        return status.read(self._file, now, activity, self.bounds.limits)

    def corrections(self, clock: Clock, server_time: Callable[[], float | None], restamp: bool) -> Corrections:
        """Return what puts the times of rows right, for one pass."""
        return Corrections(self._file, clock, server_time, restamp)

    def delivery(
        self,
        attempt: Callable[[threading.Event], Exception | None],
        clock: Clock,
        on_end: Callable[[Delivery], object],
    ) -> Delivery:
        """Return what brings all points that wait now to the server."""
        return Delivery(self._file, Goal(self._file, self.points.newest()), attempt, clock, on_end)

    @property
    def queued(self) -> int:
        """How many writes of this process have had to wait for another write."""
        return self._file.queued

    @property
    def is_ours(self) -> bool:
        """Whether this process may use the file; a forked child may not if the file was busy for too long before the fork."""
        return self._file.is_ours

    @property
    def is_amid(self) -> bool:
        """Whether this thread is in the middle of using it, and asks in a signal handler."""
        return self._file.is_amid

    def flush(self) -> None:
        """Flush: everything inserted so far survives a power cut, whatever the durability."""
        self._file.flush()

    def make_room(self) -> None:
        """If the disk is nearly full, make room for the notes that sending takes."""
        self._file.reserve.make_room()

    def write_log_back(self) -> None:
        """Write what the file's log (WAL) holds into the file, without keeping anybody from writing."""
        self._file.write_log_back()

    def close(self) -> None:
        """Finish what is queued and close the file; may be called twice."""
        self._file.close()
