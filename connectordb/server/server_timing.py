"""How long the parts of a request took, for the header ``Server-Timing`` (https://www.w3.org/TR/server-timing/)."""

from __future__ import annotations

import time

#: The clock by which all of this is measured.
seconds = time.perf_counter

HEADER = "Server-Timing"


class Spent:
    """
    How many seconds the parts of a request took.

    Attributes:
        began: When it began, by `seconds`.
        queue: Waiting for a thread of the storage.
        login: Finding out who is calling.
        storage: Reading or changing data.
        flush: Waiting for the disk.
    """

    __slots__ = ("began", "flush", "login", "queue", "storage")

    def __init__(self) -> None:
        self.began = seconds()
        self.queue = self.login = self.storage = self.flush = 0.0

    def header(self, points: int | None = None) -> str:
        """Return the header's text as of now; *points*: how many points were read or stored, if any."""
        parts = [f"total;dur={1000 * (seconds() - self.began):.2f}"]
        if self.storage:
            parts.append(
                f"queue;dur={1000 * self.queue:.2f}, login;dur={1000 * self.login:.2f}, storage;dur={1000 * self.storage:.2f}"
            )
        if self.flush:
            parts.append(f"flush;dur={1000 * self.flush:.2f}")
        if points is not None:
            parts.append(f'points;desc="{points}"')
        return ", ".join(parts)
