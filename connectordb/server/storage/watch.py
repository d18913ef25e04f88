"""What a storage is doing, in figures: for whether it is well, and for who plots it."""

from __future__ import annotations

from dataclasses import dataclass

from ...runtime.clock import SYSTEM, Clock

#: Seconds that a full disk is taken for one if nobody writes.
_LATELY = 10.0


@dataclass(frozen=True, slots=True)
class State:
    """
    How a storage is.

    Attributes:
        reads_waiting: Reads that wait for a thread.
        writes_waiting: Writes that wait for the next commit.
        commits: Commits so far.
        writes: Writes that were stored by them.
        commit_seconds: Seconds that they took, with the work in them.
        full: Whether the disk was full when something was to be written lately.
        broken: Why nothing can be read or written any more; empty if it can.
    """

    reads_waiting: int = 0
    writes_waiting: int = 0
    commits: int = 0
    writes: int = 0
    commit_seconds: float = 0.0
    full: bool = False
    broken: str = ""


class Watch:
    """Counts what the writing thread does; read by any thread, each figure by itself."""

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self.commits = 0
        self.writes = 0
        self.commit_seconds = 0.0
        self._clock = clock
        self._full: float | None = None

    def committed(self, writes: int, seconds: float) -> None:
        """Count a commit of some writes."""
        self.commits += 1
        self.writes += writes
        self.commit_seconds += seconds
        self._full = None

    def found_full(self) -> None:
        """Note that there was no room."""
        self._full = self._clock.monotonic()

    @property
    def full(self) -> bool:
        """Whether there was no room lately. Without another attempt nobody knows, and somebody has to make one."""
        full = self._full
        return full is not None and self._clock.monotonic() - full < _LATELY
