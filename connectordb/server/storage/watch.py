"""Figures about what a storage is doing: for health checks, and for Prometheus."""

from __future__ import annotations

from dataclasses import dataclass

from ...runtime.clock import SYSTEM, Clock

#: Seconds for which a disk that was full counts as full if nobody writes.
_LATELY = 10.0


@dataclass(frozen=True, slots=True)
class State:
    """
    How a storage is doing.

    Attributes:
        reads_waiting: Reads that wait for a thread.
        writes_waiting: Writes that wait for the next commit.
        commits: Commits so far.
        writes: Writes in these commits.
        commit_seconds: Seconds that all commits took, with the work in them.
        full: Whether the disk was full at a recent attempt to write.
        broken: Why nothing can be read or written any more; empty if all is well.
    """

    reads_waiting: int = 0
    writes_waiting: int = 0
    commits: int = 0
    writes: int = 0
    commit_seconds: float = 0.0
    full: bool = False
    broken: str = ""


class Watch:
    """Counts what the writing thread does. Any thread may read the figures, one by one."""

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
        """Note that the disk was full."""
        self._full = self._clock.monotonic()

    @property
    def full(self) -> bool:
        """Whether the disk was full recently. Only another attempt can show whether it still is, so this has to expire."""
        full = self._full
        return full is not None and self._clock.monotonic() - full < _LATELY
